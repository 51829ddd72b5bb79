/* HDF5 without its stack of messages: one reason, one error, no handle left open. */

#include "h5.h"
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAGE = 4096 };

void ip_h5_begin(void)
{
  /* locks of HDF5 fail on NFS and Lustre, and do not stop a second job: the store has its own */
  setenv("HDF5_USE_FILE_LOCKING", "FALSE", 0);
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

typedef struct {
  char words[256];
  bool system; /* the system or MPI refused it: nothing is wrong with the file */
} reason;

/* The innermost entry of HDF5's stack says what happened; of the system only its own words. */
static herr_t innermost(unsigned n, const H5E_error2_t *error, void *found)
{
  static const char words[] = "error message = '";
  const char *desc = error->desc, *system = strstr(desc, words);
  reason *why = found;

  if (n > 0) return 0;
  why->system = system || strstr(desc, "MPI error string");
  if (system) desc = system + sizeof words - 1;
  snprintf(why->words, sizeof why->words, "%.*s", (int)strcspn(desc, system ? "'" : "\n"),
           desc);
  return 0;
}

/* Of the last call of HDF5: the next one forgets it. */
static reason find_reason(void)
{
  reason why = {.words = "no reason given"};

  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, innermost, &why);
  return why;
}

PetscErrorCode ip_h5_raise(PetscErrorCode code, const char *format, ...)
{
  const reason why = find_reason();
  char message[2048];
  va_list arguments;

  if (why.system && code == IP_ERR_DATA) code = IP_ERR_IO;
  va_start(arguments, format);
  vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  return ip_error_raise(code, __func__, "%s: HDF5: %s", message, why.words);
}

void ip_h5_close(hid_t id)
{
  if (id >= 0) H5Idec_ref(id);
}

hid_t ip_h5_only(bool good, hid_t id)
{
  if (good) return id;
  ip_h5_close(id);
  return -1;
}

void ip_h5_divert(hid_t file)
{
  void *handle = NULL;
  const int memory = memfd_create("infoplane", MFD_CLOEXEC);

  if (H5Fget_vfd_handle(file, H5P_DEFAULT, &handle) >= 0 && memory >= 0)
    dup2(memory, *(int *)handle);
  if (memory >= 0) close(memory);
}

static hid_t text_type(void)
{
  const hid_t type = H5Tcopy(H5T_C_S1);

  return ip_h5_only(
      H5Tset_size(type, H5T_VARIABLE) >= 0 && H5Tset_cset(type, H5T_CSET_UTF8) >= 0, type);
}

hid_t ip_h5_file_type(ip_number type)
{
  const hid_t number[] = {H5T_IEEE_F64LE, H5T_IEEE_F32LE, H5T_STD_I64LE, H5T_STD_I32LE,
                          H5T_STD_I8LE,   H5T_STD_U64LE,  H5T_STD_U8LE};

  return type == IP_TEXT ? text_type() : H5Tcopy(number[type]);
}

hid_t ip_h5_memory_type(ip_number type)
{
  const hid_t number[] = {H5T_NATIVE_DOUBLE, H5T_NATIVE_FLOAT, H5T_NATIVE_INT64,
                          H5T_NATIVE_INT32,  H5T_NATIVE_INT8,  H5T_NATIVE_UINT64,
                          H5T_NATIVE_UINT8};

  return type == IP_TEXT ? text_type() : H5Tcopy(number[type]);
}

size_t ip_h5_size(ip_number type)
{
  static const size_t size[] = {8, 4, 8, 4, 1, 8, 1, sizeof(char *)};

  return size[type];
}

hid_t ip_h5_access_tight(void)
{
  const hid_t access = H5Pcreate(H5P_FILE_ACCESS);

  return ip_h5_only(H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_V18) >= 0, access);
}

hid_t ip_h5_access(void)
{
  const hid_t access = ip_h5_access_tight();

  return access < 0 ? access : ip_h5_only(H5Pset_alignment(access, PAGE, PAGE) >= 0, access);
}

PetscErrorCode ip_h5_write_text(hid_t object, const char *name, const char *text)
{
  if (!text) return PETSC_SUCCESS;
  const hid_t type = text_type(), space = H5Screate(H5S_SCALAR);
  const hid_t attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
  const PetscErrorCode code =
      IP_H5(H5Awrite(attribute, type, &text), IP_ERR_IO, "cannot write attribute %s", name);

  ip_h5_close(attribute);
  ip_h5_close(space);
  ip_h5_close(type);
  return code;
}

PetscErrorCode ip_h5_write_numbers(hid_t object, const char *name, ip_number type, size_t n,
                                   const void *numbers)
{
  const hid_t file_type = ip_h5_file_type(type), memory_type = ip_h5_memory_type(type);
  const hid_t space =
      n == 1 ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, (hsize_t[]){n}, NULL);
  const hid_t attribute = H5Acreate2(object, name, file_type, space, H5P_DEFAULT, H5P_DEFAULT);
  const PetscErrorCode code = IP_H5(H5Awrite(attribute, memory_type, numbers), IP_ERR_IO,
                                    "cannot write attribute %s", name);

  ip_h5_close(attribute);
  ip_h5_close(space);
  ip_h5_close(memory_type);
  ip_h5_close(file_type);
  return code;
}

PetscErrorCode ip_h5_read_text(hid_t object, const char *name, char **text)
{
  const hid_t attribute = H5Aopen(object, name, H5P_DEFAULT);

  PetscCall(IP_H5(attribute, IP_ERR_DATA, "there is no attribute %s", name));
  const hid_t type = H5Aget_type(attribute), space = H5Aget_space(attribute);
  char *read = NULL;
  PetscErrorCode code;

  if (H5Tis_variable_str(type) > 0 && H5Sget_simple_extent_npoints(space) == 1)
    code =
        IP_H5(H5Aread(attribute, type, &read), IP_ERR_DATA, "cannot read attribute %s", name);
  else
    code = ip_error_raise(IP_ERR_DATA, __func__, "there is no text attribute %s", name);
  if (!code) code = ip_text_copy(read ? read : "", text);
  if (read) H5free_memory(read);
  ip_h5_close(space);
  ip_h5_close(type);
  ip_h5_close(attribute);
  return code;
}

/* Dataspaces of cells in the file and in memory; negative where they do not fit. */
static void select_cells(hid_t dataset, const ip_cells *cells, hid_t *file, hid_t *memory)
{
  const bool scalar = cells->n_axes == 0;

  *file = H5Dget_space(dataset);
  *memory =
      scalar ? H5Screate(H5S_SCALAR) : H5Screate_simple((int)cells->n_axes, cells->count, NULL);
  if (H5Sget_simple_extent_ndims(*file) != (int)cells->n_axes ||
      (!scalar && H5Sselect_hyperslab(*file, H5S_SELECT_SET, cells->start, NULL, cells->count,
                                      NULL) < 0)) {
    ip_h5_close(*memory);
    *memory = -1;
  }
}

/* Name the file and the array that cannot be transferred. */
static PetscErrorCode raise_transfer(hid_t dataset, const char *what, PetscErrorCode code)
{
  const reason why = find_reason();
  char file[4096] = "", name[256] = "";

  H5Fget_name(dataset, file, sizeof file);
  H5Iget_name(dataset, name, sizeof name);
  return ip_error_raise(why.system ? IP_ERR_IO : code, __func__, "%s: cannot %s %s: HDF5: %s",
                        file[0] ? file : "a file", what, name[0] ? name + 1 : "an array",
                        why.words);
}

PetscErrorCode ip_h5_open_array(hid_t file, const char *path, const char *name, hid_t *dataset)
{
  *dataset = H5Dopen2(file, name, H5P_DEFAULT);
  return IP_H5(*dataset, IP_ERR_DATA, "%s: cannot open %s", path, name);
}

PetscErrorCode ip_h5_read(hid_t dataset, hid_t memory_type, const ip_cells *cells, void *value)
{
  hid_t file, memory;

  select_cells(dataset, cells, &file, &memory);
  const bool good =
      memory >= 0 && H5Dread(dataset, memory_type, memory, file, H5P_DEFAULT, value) >= 0;
  const PetscErrorCode code =
      good ? PETSC_SUCCESS : raise_transfer(dataset, "read", IP_ERR_DATA);

  ip_h5_close(memory);
  ip_h5_close(file);
  return code;
}

PetscErrorCode ip_h5_write(hid_t dataset, hid_t memory_type, const ip_cells *cells,
                           const void *value)
{
  hid_t file, memory;

  select_cells(dataset, cells, &file, &memory);
  const bool good =
      memory >= 0 && H5Dwrite(dataset, memory_type, memory, file, H5P_DEFAULT, value) >= 0;
  const PetscErrorCode code =
      good ? PETSC_SUCCESS : raise_transfer(dataset, "write", IP_ERR_IO);

  ip_h5_close(memory);
  ip_h5_close(file);
  return code;
}

/* A regular file that begins as HDF5 does.  (HDF5 itself would turn an empty file into its own.) */
static PetscErrorCode check_signature(const char *path)
{
  static const unsigned char signature[8] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
  unsigned char begin[8] = {0};
  struct stat about;
  PetscErrorCode code = PETSC_SUCCESS;

  /* not blocking, so that a named pipe is refused and not waited for */
  const int fd = ip_file_open(path, O_RDONLY | O_NONBLOCK);

  IP_CHECK(fd >= 0 || errno != ENOENT, IP_ERR_NO_INPUT, "%s: no such file", path);
  IP_CHECK(fd >= 0 || errno != EACCES, IP_ERR_LOCKED, "%s: no permission to read it", path);
  IP_CHECK(fd >= 0 || errno == EIO, IP_ERR_DATA, "%s: %s", path, strerror(errno));
  IP_CHECK(fd >= 0, IP_ERR_IO, "%s: %s", path, strerror(errno));
  const bool regular = fstat(fd, &about) == 0 && S_ISREG(about.st_mode);

  if (regular && about.st_size >= (off_t)sizeof begin)
    code = ip_file_read(fd, path, begin, sizeof begin, 0);
  close(fd);
  PetscCall(code);
  IP_CHECK(regular, IP_ERR_DATA, "%s is not a file that could hold results", path);
  IP_CHECK(about.st_size > 0, IP_ERR_DATA,
           "%s is empty (0 bytes): remove it, or choose another output file", path);
  IP_CHECK(memcmp(begin, signature, sizeof begin) == 0, IP_ERR_DATA,
           "%s is not an HDF5 file: choose another output file", path);
  return PETSC_SUCCESS;
}

/* Our attribute, of a version that we know. */
static PetscErrorCode check_version(const char *path, hid_t file)
{
  int32_t version = 0;
  const hid_t attribute = H5Aopen(file, "infoplane_format_version", H5P_DEFAULT);

  PetscCall(IP_H5(attribute, IP_ERR_DATA,
                  "%s is an HDF5 file, but not one of infoplane: choose another output "
                  "file",
                  path));
  const hid_t space = H5Aget_space(attribute);
  PetscErrorCode code = PETSC_SUCCESS;

  if (H5Sget_simple_extent_npoints(space) == 1)
    code =
        IP_H5(H5Aread(attribute, H5T_NATIVE_INT32, &version), IP_ERR_DATA,
              "%s is an HDF5 file, but not one of infoplane: its format cannot be read", path);
  ip_h5_close(space);
  ip_h5_close(attribute);
  PetscCall(code);
  IP_CHECK(version >= 1, IP_ERR_DATA,
           "%s is an HDF5 file, but not one of infoplane: choose another output file", path);
  IP_CHECK(version <= IP_LAYOUT_VERSION, IP_ERR_DATA,
           "%s has format %d, written by a newer infoplane; this one knows format %d", path,
           (int)version, (int)IP_LAYOUT_VERSION);
  return PETSC_SUCCESS;
}

PetscErrorCode ip_h5_open_ours(const char *path, hid_t *file)
{
  ip_h5_begin();
  PetscCall(check_signature(path));
  const hid_t access = ip_h5_access(), opened = H5Fopen(path, H5F_ACC_RDONLY, access);
  PetscErrorCode code = IP_H5(opened, IP_ERR_DATA, "%s is damaged or cut off", path);

  ip_h5_close(access);
  if (!code) code = check_version(path, opened);
  if (code)
    ip_h5_close(opened);
  else
    *file = opened;
  return code;
}
