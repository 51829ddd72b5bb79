/* Everything of the file but the results: groups, attributes, coordinates, and all arrays full of
   their fill value.  No time, host or path enters it: equal plans give equal bytes.

   The rules that make it a netCDF-4 file are those of design netCDF "Interoperability with HDF5":
   a dimension scale on every axis, creation order tracked and indexed, variable-length strings. */

#include "skeleton.h"
#include <errno.h>
#include <fcntl.h>
#include <hdf5_hl.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const group[] = {"timing", "provenance"};

uint64_t ip_skeleton_bytes(const ip_layout *layout)
{
  enum {
    HEADER = 1400,
    TEXT = 48,
    PAGE = 4096
  };                                   /* measured: header and attributes, one text */
  uint64_t bytes = 4 * (uint64_t)PAGE; /* root, groups, config */

  for (size_t i = 0; i < layout->n; i++) {
    const ip_variable *v = &layout->variable[i];
    const uint64_t raw =
        ip_variable_elements(v) * (v->type == IP_TEXT ? TEXT : ip_h5_size(v->type));

    bytes += HEADER + (raw < PAGE ? raw : (raw + PAGE - 1) / PAGE * PAGE);
  }
  return bytes;
}

/* A creation list whose object keeps the order of its attributes, and no times. */
static hid_t orderly(hid_t class)
{
  const unsigned order = H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED;
  const hid_t list = H5Pcreate(class);

  return ip_h5_only(H5Pset_attr_creation_order(list, order) >= 0 &&
                        H5Pset_obj_track_times(list, false) >= 0,
                    list);
}

/* The same of what holds links: their order too. */
static hid_t orderly_group(hid_t class)
{
  const unsigned order = H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED;
  const hid_t list = orderly(class);

  return ip_h5_only(H5Pset_link_creation_order(list, order) >= 0, list);
}

/* ---- one array --------------------------------------------------------------------------------- */

/* Raw bytes of an array from which on compressing it is worth its index. */
static bool is_large(const ip_variable *v)
{
  const size_t least = 16384;

  return v->type != IP_TEXT && ip_variable_elements(v) * ip_h5_size(v->type) >= least;
}

void ip_skeleton_chunk(const ip_variable *v, hsize_t chunk[IP_LAYOUT_RANK])
{
  const size_t most = 1 << 20; /* bytes, as HDF5 keeps of an array in memory */
  size_t rest = ip_h5_size(v->type);

  for (size_t a = v->n_axes; a-- > 0; rest *= v->length[a]) {
    const size_t fit = rest < most ? most / rest : 1;

    chunk[a] = fit < v->length[a] ? fit : v->length[a];
  }
}

/* All at once and in order, for MPI-IO; or in compressed chunks, that take room when they are written. */
static bool arrange(const ip_variable *v, bool compact, hid_t list)
{
  enum { LEVEL = 6 };
  hsize_t chunk[IP_LAYOUT_RANK];

  if (!compact || !is_large(v))
    return H5Pset_layout(list, H5D_CONTIGUOUS) >= 0 &&
           H5Pset_alloc_time(list, H5D_ALLOC_TIME_EARLY) >= 0;
  ip_skeleton_chunk(v, chunk);
  return H5Pset_chunk(list, (int)v->n_axes, chunk) >= 0 && H5Pset_shuffle(list) >= 0 &&
         H5Pset_deflate(list, LEVEL) >= 0;
}

static hid_t creation(const ip_variable *v, hid_t memory_type, bool compact)
{
  static const double nan = (double)NAN;
  static const float nanf32 = NAN;
  static const int64_t minus_one = -1;
  static const uint64_t zero = 0;
  static const void *const fill[] = {&nan,       &nanf32, &minus_one, &minus_one,
                                     &minus_one, &zero,   &zero};
  const hid_t list = orderly(H5P_DATASET_CREATE);
  const bool good =
      arrange(v, compact, list) &&
      (v->type == IP_TEXT || H5Pset_fill_value(list, memory_type, fill[v->type]) >= 0);

  return ip_h5_only(good, list);
}

static PetscErrorCode create_array(hid_t file, const ip_variable *v, bool compact,
                                   hid_t *dataset)
{
  hsize_t length[IP_LAYOUT_RANK];
  char path[256];

  for (size_t a = 0; a < v->n_axes; a++) length[a] = v->length[a];
  snprintf(path, sizeof path, "%s/%s", v->group, v->name);

  const hid_t file_type = ip_h5_file_type(v->type), memory_type = ip_h5_memory_type(v->type);
  const hid_t space = H5Screate_simple((int)v->n_axes, length, NULL);
  const hid_t list = creation(v, memory_type, compact);

  *dataset = H5Dcreate2(file, path, file_type, space, H5P_DEFAULT, list, H5P_DEFAULT);
  const PetscErrorCode code = IP_H5(*dataset, IP_ERR_IO, "cannot create %s", path);

  ip_h5_close(list);
  ip_h5_close(space);
  ip_h5_close(memory_type);
  ip_h5_close(file_type);
  return code;
}

static PetscErrorCode write_values(const ip_plan *plan, const ip_variable *v, hid_t dataset)
{
  const size_t n = ip_variable_elements(v);
  void *values = NULL;

  if (!v->values) return PETSC_SUCCESS;
  PetscCall(ip_allocate_bytes(n, ip_h5_size(v->type), &values));
  const hid_t type = ip_h5_memory_type(v->type);
  PetscErrorCode code = v->values(plan, v, values);

  if (!code)
    code = IP_H5(H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values), IP_ERR_IO,
                 "cannot write %s", v->name);
  ip_h5_close(type);
  if (v->type == IP_TEXT)
    for (size_t i = 0; i < n; i++) ip_release(&((char **)values)[i]);
  ip_release(&values);
  return code;
}

/* flag_values = 0, 1, ...; flag_meanings = the words */
static PetscErrorCode describe_flags(const ip_variable *v, hid_t dataset)
{
  int8_t value[INT8_MAX];
  ip_text words = {0};
  size_t n = 0;

  if (!v->flags) return PETSC_SUCCESS;
  for (; n < INT8_MAX && v->flags(n); n++) value[n] = (int8_t)n;
  PetscErrorCode code = ip_names_list(v->flags, &words);

  if (!code) code = ip_h5_write_numbers(dataset, "flag_values", IP_INT8, n, value);
  if (!code) code = ip_h5_write_text(dataset, "flag_meanings", words.text);
  ip_text_clear(&words);
  return code;
}

/* The attribute `coordinates` of CF: what xarray shows beside the array and selects by. */
static PetscErrorCode describe_coordinates(const ip_layout *layout, const ip_variable *v,
                                           hid_t dataset)
{
  ip_text names = {0};
  PetscErrorCode code = PETSC_SUCCESS;

  for (size_t i = 0; i < layout->n && !code; i++)
    if (ip_variable_describes(&layout->variable[i], v))
      code = ip_text_add(&names, names.length ? " %s" : "%s", layout->variable[i].name);
  if (!code) code = ip_h5_write_text(dataset, "coordinates", names.text);
  ip_text_clear(&names);
  return code;
}

static PetscErrorCode describe(const ip_layout *layout, const ip_variable *v, hid_t dataset)
{
  PetscCall(ip_h5_write_text(dataset, "units", v->unit));
  PetscCall(ip_h5_write_text(dataset, "long_name", v->long_name));
  PetscCall(ip_h5_write_text(dataset, "definition", v->definition));
  PetscCall(ip_h5_write_text(dataset, "references", v->reference));
  PetscCall(describe_flags(v, dataset));
  return describe_coordinates(layout, v, dataset);
}

/* ---- the file ---------------------------------------------------------------------------------- */

static PetscErrorCode write_root(hid_t file, const ip_plan *plan, const ip_store_origin *origin)
{
  const int32_t version = IP_LAYOUT_VERSION;
  ip_text source = {0}, config = {0};

  PetscCall(ip_h5_write_text(file, "Conventions", "CF-1.10"));
  PetscCall(ip_h5_write_numbers(file, "infoplane_format_version", IP_INT32, 1, &version));
  PetscCall(ip_h5_write_text(
      file, "title", "Layers of neural networks in the information plane during training"));
  PetscErrorCode code = ip_text_add(&source, "infoplane %s", origin->version);

  if (!code) code = ip_h5_write_text(file, "source", source.text);
  ip_text_clear(&source);
  PetscCall(code);
  PetscCall(ip_h5_write_text(
      file, "references",
      "Shwartz-Ziv and Tishby, arXiv:1703.00810; every variable names its own"));
  code = ip_options_config(plan->options, &config);
  if (!code) code = ip_h5_write_text(file, "config", config.text ? config.text : "");
  ip_text_clear(&config);
  return code;
}

static PetscErrorCode create_groups(hid_t file)
{
  const hid_t list = orderly_group(H5P_GROUP_CREATE);
  PetscErrorCode code = PETSC_SUCCESS;

  for (size_t g = 0; g < sizeof group / sizeof group[0] && !code; g++) {
    const hid_t id = H5Gcreate2(file, group[g], H5P_DEFAULT, list, H5P_DEFAULT);

    code = IP_H5(id, IP_ERR_IO, "cannot create group %s", group[g]);
    ip_h5_close(id);
  }
  ip_h5_close(list);
  return code;
}

static PetscErrorCode write_share(hid_t group_id, const ip_plan *plan)
{
  char text[IP_SHARE_TEXT];

  if (plan->shares <= 1) return PETSC_SUCCESS;
  ip_share_name(plan, text);
  return ip_h5_write_text(group_id, "share", text);
}

/* What made the file. A reproducible one keeps only what is the same in every repetition. */
static PetscErrorCode write_provenance(hid_t file, const ip_plan *plan,
                                       const ip_store_origin *origin)
{
  const hid_t id = H5Gopen2(file, "provenance", H5P_DEFAULT);
  PetscErrorCode code = ip_h5_write_text(id, "version", origin->version);

  if (!code) code = ip_h5_write_text(id, "commit", origin->commit);
  if (!code) code = ip_h5_write_text(id, "build", origin->build);
  if (!code && !origin->reproducible)
    code = ip_h5_write_text(id, "resolved", origin->provenance_yaml);
  if (!code) code = write_share(id, plan);
  ip_h5_close(id);
  return code;
}

/* Every array along every axis gets that axis' scale. */
static PetscErrorCode attach_scales(const ip_layout *layout, const hid_t dataset[])
{
  hid_t scale[ALONG_COUNT];

  for (size_t i = 0; i < layout->n; i++) {
    const ip_variable *v = &layout->variable[i];

    if (!v->axis) continue;
    scale[v->along[0]] = dataset[i];
    PetscCall(
        IP_H5(H5DSset_scale(dataset[i], v->name), IP_ERR_IO, "cannot make axis %s", v->name));
  }
  for (size_t i = 0; i < layout->n; i++) {
    const ip_variable *v = &layout->variable[i];

    for (size_t a = 0; a < v->n_axes && !v->axis; a++)
      PetscCall(IP_H5(H5DSattach_scale(dataset[i], scale[v->along[a]], (unsigned)a), IP_ERR_IO,
                      "cannot attach axis %zu of %s", a, v->name));
  }
  return PETSC_SUCCESS;
}

static PetscErrorCode write_all(hid_t file, const ip_plan *plan, const ip_layout *layout,
                                const ip_store_origin *origin, hid_t dataset[])
{
  PetscCall(write_root(file, plan, origin));
  PetscCall(create_groups(file));
  for (size_t i = 0; i < layout->n; i++) {
    const ip_variable *v = &layout->variable[i];

    PetscCall(create_array(file, v, layout->compact, &dataset[i]));
    if (!layout->compact || v->type == IP_TEXT) /* else they are copied */
      PetscCall(write_values(plan, v, dataset[i]));
    PetscCall(describe(layout, v, dataset[i]));
  }
  PetscCall(attach_scales(layout, dataset));
  return write_provenance(file, plan, origin);
}

static hid_t create_file(const char *path, bool compact)
{
  const hid_t list = orderly_group(H5P_FILE_CREATE),
              access = compact ? ip_h5_access_tight() : ip_h5_access();
  const hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, list, access);

  ip_h5_close(access);
  ip_h5_close(list);
  return file;
}

/* Take the space now: a full disk shows in the first second. File systems that cannot reserve show
   it when HDF5 writes the fill values. */
static PetscErrorCode reserve(const char *path, int fd, uint64_t bytes)
{
  const int failed = fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)bytes) == 0 ? 0 : errno;

  IP_CHECK(failed == 0 || failed == EOPNOTSUPP || failed == ENOSYS || failed == EINTR,
           IP_ERR_IO, "%s: no room for %" PRIu64 " bytes: %s", path, bytes, strerror(failed));
  return PETSC_SUCCESS;
}

/* Put the file before a message that names only the array. */
static PetscErrorCode name_file(PetscErrorCode code, const char *path)
{
  ip_text message = {0};

  PetscCall(ip_text_add(&message, "%s", ip_error_message()));
  ip_error_clear();
  (void)ip_error_raise(code, __func__, "%s: %s", path, message.text);
  ip_text_clear(&message);
  return code;
}

PetscErrorCode ip_skeleton_write(const char *path, int fd, const ip_plan *plan,
                                 const ip_layout *layout, const ip_store_origin *origin)
{
  hid_t *dataset = NULL;
  struct stat about;

  PetscCall(IP_ALLOCATE(layout->n, &dataset));
  for (size_t i = 0; i < layout->n; i++) dataset[i] = -1;
  const hid_t file = create_file(path, layout->compact);
  PetscErrorCode code = IP_H5(file, IP_ERR_CREATE, "cannot create %s", path);

  if (!code && !layout->compact) code = reserve(path, fd, ip_skeleton_bytes(layout));
  if (!code) {
    code = write_all(file, plan, layout, origin, dataset);
    if (code) code = name_file(code, path);
  }
  if (!code) code = IP_H5(H5Fflush(file, H5F_SCOPE_LOCAL), IP_ERR_IO, "cannot write %s", path);
  if (code) ip_h5_divert(file);
  for (size_t i = 0; i < layout->n; i++) ip_h5_close(dataset[i]);
  ip_release(&dataset);
  if (H5Fclose(file) < 0 && !code) code = ip_h5_raise(IP_ERR_IO, "cannot close %s", path);
  PetscCall(code);
  /* cut what was reserved and not used */
  bool failed;

  do failed = fstat(fd, &about) != 0 || ftruncate(fd, about.st_size) != 0;
  while (failed && errno == EINTR);
  IP_CHECK(!failed, IP_ERR_IO, "%s: %s", path, strerror(errno));
  return PETSC_SUCCESS;
}
