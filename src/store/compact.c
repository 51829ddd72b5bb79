/* A finished file once more, in compressed chunks: the same variables, attributes and bytes of numbers.

   Nothing compressed is ever written by several ranks, so only what is finished may be compact; a file
   that merge or grow makes of it is a plain one again. */

#include "compact.h"
#include "ledger.h"
#include "lock.h"
#include "make.h"
#include "seal.h"
#include "skeleton.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool ip_file_is_compact(hid_t file)
{
  bool compact = false;

  for (size_t f = 0; f < IP_FIELDS; f++) { /* the largest are chunked, small ones are not */
    const hid_t dataset = H5Dopen2(file, ip_field_row(f)->name, H5P_DEFAULT);
    const hid_t list = dataset < 0 ? -1 : H5Dget_create_plist(dataset);

    if (list >= 0 && H5Pget_layout(list) == H5D_CHUNKED) compact = true;
    ip_h5_close(list);
    ip_h5_close(dataset);
  }
  return compact;
}

/* ---- what may be compacted ---------------------------------------------------------------------- */

/* Variables that somebody added would be lost. */
static PetscErrorCode refuse_additions(const ledger *l)
{
  static const char *const group[] = {"/", "timing", "provenance"};
  enum { GROUPS = sizeof group / sizeof group[0] };
  size_t links = 0;

  for (size_t g = 0; g < GROUPS; g++) {
    H5G_info_t info = {0};

    PetscCall(IP_H5(H5Gget_info_by_name(l->file, group[g], &info, H5P_DEFAULT), IP_ERR_DATA,
                    "%s: cannot read group %s", l->path, group[g]));
    links += (size_t)info.nlinks;
  }
  IP_CHECK(
      links == l->layout->n + GROUPS - 1, IP_ERR_CONFIG,
      "%s holds %zu variables and groups, a study of its kind has %zu: what was added to it "
      "would be lost. h5repack compresses any file",
      l->path, links, l->layout->n + GROUPS - 1);
  return PETSC_SUCCESS;
}

/* Every run is finished, and fits its checksum. */
static PetscErrorCode prove_runs(const ledger *l, hid_t file, const char *path)
{
  size_t open = 0, damaged = 0;
  ip_record *buffer = NULL;
  ip_seals seals;

  ip_seals_begin(l->plan, &seals);
  PetscErrorCode code = ip_seals_open(file, path, &seals);

  if (!code) code = ip_record_create(l->plan, &buffer);
  for (size_t r = 0; r < l->plan->n_runs && !code; r++) {
    ip_status status = IP_STATUS_PENDING;
    bool bad = false;

    buffer->run = r;
    code = ip_seals_prove(&seals, buffer, &status, &bad);
    damaged += bad;
    open += !bad && status == IP_STATUS_PENDING;
  }
  ip_record_destroy(&buffer);
  ip_seals_close(&seals);
  PetscCall(code);
  IP_CHECK(
      damaged == 0, IP_ERR_DATA,
      "%s: %zu runs do not fit their checksum: infoplane check names them, the command that "
      "began the file computes them again",
      path, damaged);
  IP_CHECK(
      open == 0, IP_ERR_CONFIG,
      "%s: %zu of %zu runs are not finished, and a compact file cannot be continued: finish "
      "it with the command that began it, then compact it",
      path, open, l->plan->n_runs);
  return PETSC_SUCCESS;
}

/* ---- copying and comparing ------------------------------------------------------------------------ */

typedef struct {
  const ledger *from;
  bool compare; /* else copy */
  void *one, *two;
} pass;

/* Rows start .. start + count - 1 along the first axis. */
static PetscErrorCode do_rows(const pass *p, const ip_variable *v, const hid_t dataset[2],
                              const size_t rows[2])
{
  const hid_t type = ip_h5_memory_type(v->type);
  const size_t bytes = rows[1] * ip_variable_row(v) * ip_h5_size(v->type);
  ip_cells cells = {.n_axes = v->n_axes};

  for (size_t a = 0; a < v->n_axes; a++) cells.count[a] = v->length[a];
  cells.start[0] = rows[0];
  cells.count[0] = rows[1];
  PetscErrorCode code = ip_h5_read(dataset[0], type, &cells, p->one);

  if (!code && p->compare) code = ip_h5_read(dataset[1], type, &cells, p->two);
  if (!code && !p->compare) code = ip_h5_write(dataset[1], type, &cells, p->one);
  ip_h5_close(type);
  PetscCall(code);
  IP_CHECK(!p->compare || memcmp(p->one, p->two, bytes) == 0, IP_ERR_IO,
           "%s does not read back as it was written; the disk or the file system is damaged",
           v->name);
  return PETSC_SUCCESS;
}

static PetscErrorCode do_variable(pass *p, const ip_variable *v, const hid_t dataset[2])
{
  hsize_t chunk[IP_LAYOUT_RANK];
  PetscErrorCode code;

  ip_skeleton_chunk(v, chunk);
  const size_t step = (size_t)chunk[0], row = ip_variable_row(v) * ip_h5_size(v->type);

  code = ip_allocate_bytes(step, row, &p->one);
  if (!code) code = ip_allocate_bytes(step, row, &p->two);
  for (size_t r = 0; r < v->length[0] && !code; r += step) {
    const size_t left = v->length[0] - r, rows[2] = {r, left < step ? left : step};

    code = do_rows(p, v, dataset, rows);
  }
  ip_release(&p->one);
  ip_release(&p->two);
  return code;
}

/* Texts stand in the skeleton, as the plan has them. */
static PetscErrorCode compare_texts(const ip_variable *v, const hid_t dataset[2])
{
  const hid_t type = ip_h5_memory_type(v->type);
  PetscErrorCode code = PETSC_SUCCESS;

  for (size_t i = 0; i < v->length[0] && !code; i++) {
    const ip_cells cell = {.n_axes = 1, .start = {i}, .count = {1}};
    char *one = NULL, *two = NULL;

    code = ip_h5_read(dataset[0], type, &cell, &one);
    if (!code) code = ip_h5_read(dataset[1], type, &cell, &two);
    if (!code && strcmp(one ? one : "", two ? two : "") != 0)
      code = ip_error_raise(IP_ERR_DATA, __func__,
                            "%s %zu is \"%s\", but config makes it \"%s\": the file is damaged",
                            v->name, i, one ? one : "", two ? two : "");
    if (one) H5free_memory(one);
    if (two) H5free_memory(two);
  }
  ip_h5_close(type);
  return code;
}

static PetscErrorCode do_all(pass *p, hid_t file, const char *path)
{
  const ip_layout *layout = p->from->layout;
  PetscErrorCode code = PETSC_SUCCESS;

  for (size_t i = 0; i < layout->n && !code; i++) {
    const ip_variable *v = &layout->variable[i];
    hid_t dataset[2] = {-1, -1};
    char name[256];

    snprintf(name, sizeof name, "%s/%s", v->group, v->name);
    code = ip_h5_open_array(p->from->file, p->from->path, name, &dataset[0]);
    if (!code) code = ip_h5_open_array(file, path, name, &dataset[1]);
    if (!code && v->type != IP_TEXT) code = do_variable(p, v, dataset);
    if (!code && v->type == IP_TEXT && p->compare) code = compare_texts(v, dataset);
    ip_h5_close(dataset[0]);
    ip_h5_close(dataset[1]);
  }
  return code;
}

static PetscErrorCode copy(pass *p, const char *partial)
{
  const hid_t access = ip_h5_access_tight(), file = H5Fopen(partial, H5F_ACC_RDWR, access);
  PetscErrorCode code = IP_H5(file, IP_ERR_IO, "%s cannot be opened again", partial);

  ip_h5_close(access);
  PetscCall(code);
  code = do_all(p, file, partial);
  if (!code)
    code = IP_H5(H5Fflush(file, H5F_SCOPE_LOCAL), IP_ERR_IO, "cannot write %s", partial);
  if (code) ip_h5_divert(file);
  if (H5Fclose(file) < 0 && !code) code = ip_h5_raise(IP_ERR_IO, "cannot close %s", partial);
  return code;
}

static PetscErrorCode verify(pass *p, const char *partial)
{
  char *config = NULL;
  hid_t file = -1;

  PetscCall(ip_h5_open_ours(partial, &file));
  PetscErrorCode code = do_all(p, file, partial);

  if (!code) code = prove_runs(p->from, file, partial);
  if (!code) code = ip_h5_read_text(file, "config", &config);
  if (!code && strcmp(config, p->from->config) != 0)
    code = ip_error_raise(
        IP_ERR_CONFIG, __func__,
        "%s was made by another version of infoplane, which writes the attribute "
        "config otherwise: compact it with that version",
        p->from->path);
  ip_release(&config);
  ip_h5_close(file);
  return code;
}

static PetscErrorCode fill(void *context, const char *partial)
{
  pass p = {.from = context};

  PetscCall(copy(&p, partial));
  const int fd = ip_file_open(partial, O_RDWR);

  IP_CHECK(fd >= 0, IP_ERR_IO, "%s cannot be opened again: %s", partial, strerror(errno));
  const PetscErrorCode code = ip_file_sync(fd, partial);

  close(fd);
  PetscCall(code);
  p.compare = true;
  return verify(&p, partial);
}

/* ---- the file ----------------------------------------------------------------------------------------- */

static PetscErrorCode size_of(const char *path, uint64_t *bytes)
{
  struct stat about;

  IP_CHECK(stat(path, &about) == 0, IP_ERR_IO, "%s: %s", path, strerror(errno));
  *bytes = (uint64_t)about.st_size;
  return PETSC_SUCCESS;
}

/* What the file says of who made it; `resolved` is not in a reproducible one. */
static PetscErrorCode make(ledger *l, const char *out, bool replace)
{
  char *version = NULL, *commit = NULL, *build = NULL, *resolved = NULL;
  const hid_t group = H5Gopen2(l->file, "provenance", H5P_DEFAULT);
  const htri_t resolves = H5Aexists(group, "resolved");
  const bool reproducible = resolves == 0;
  PetscErrorCode code = IP_H5(resolves, IP_ERR_IO, "cannot read /provenance of %s", l->path);

  if (!code) code = ip_h5_read_text(group, "version", &version);
  if (!code) code = ip_h5_read_text(group, "commit", &commit);
  if (!code) code = ip_h5_read_text(group, "build", &build);
  if (!code && !reproducible) code = ip_h5_read_text(group, "resolved", &resolved);
  ip_h5_close(group);
  if (!code) {
    const ip_store_origin origin = {.version = version,
                                    .commit = commit,
                                    .build = build,
                                    .provenance_yaml = resolved,
                                    .reproducible = reproducible};
    const ip_make file = {.path = out,
                          .plan = l->plan,
                          .layout = l->layout,
                          .origin = &origin,
                          .fill = fill,
                          .context = l,
                          .replace = replace};

    l->layout->compact = true;
    code = ip_make_file(&file);
  }
  ip_release(&version);
  ip_release(&commit);
  ip_release(&build);
  ip_release(&resolved);
  return code;
}

static PetscErrorCode compact(const char *path, const char *out, bool replace,
                              uint64_t bytes[2])
{
  ledger l;
  PetscErrorCode code = ledger_open(path, &l);

  if (!code) code = refuse_additions(&l);
  if (!code) code = prove_runs(&l, l.file, path);
  if (!code) code = size_of(path, &bytes[0]);
  if (!code) code = make(&l, out, replace);
  if (!code) code = size_of(out, &bytes[1]);
  ledger_close(&l);
  return code;
}

PetscErrorCode ip_store_compact(const char *path, const char *out, uint64_t bytes[2])
{
  const bool replace = !out;
  ip_lock *lock = NULL;
  struct stat about;

  ip_h5_begin();
  IP_CHECK(!replace || lstat(path, &about) != 0 || !S_ISLNK(about.st_mode), IP_ERR_CREATE,
           "%s is a symbolic link, which the compact file would replace: name the file itself",
           path);
  IP_CHECK(
      replace || (lstat(out, &about) != 0 && errno == ENOENT), IP_ERR_CREATE,
      "%s stands: nothing is overwritten, choose another name (-o NEW.h5; replace=yes puts the "
      "compact file in the place of the old one)",
      out);
  PetscCall(ip_lock_refuse(path));
  PetscCall(ip_lock_take(replace ? path : out, false, 0.0, &lock));
  const PetscErrorCode code = compact(path, replace ? path : out, replace, bytes);

  ip_lock_release(&lock);
  return code;
}
