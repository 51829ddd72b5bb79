#pragma once

/** @file
 *  Files that a test writes: bytes that grow, a scratch folder, and what every reader must
 *  survive.
 */

#include "check.h"
#include <infoplane/dataset.h>
#include <stdlib.h>
#include <unistd.h>

enum { FILE_ROOM = 1 << 16, PATH_ROOM = 256 };

/** Bytes of a file in the making. */
typedef struct {
  unsigned char at[FILE_ROOM];
  size_t length;
  bool big_endian;
} file_bytes;

static inline void put_bytes(file_bytes *b, const void *bytes, size_t length)
{
  assert_true(b->length + length <= FILE_ROOM);
  if (length > 0) memcpy(b->at + b->length, bytes, length);
  b->length += length;
}

/** The low `width` bytes of the bits. */
static inline void put(file_bytes *b, uint64_t bits, size_t width)
{
  for (size_t i = 0; i < width; i++) {
    const size_t shift = 8 * (b->big_endian ? width - 1 - i : i);

    put_bytes(b, &(unsigned char){(unsigned char)(bits >> shift)}, 1);
  }
}

/** value as a whole number or a floating one. */
static inline void put_number(file_bytes *b, double value, size_t width, bool floating)
{
  const float half = (float)value;
  uint64_t bits = (uint64_t)(int64_t)value;
  uint32_t half_bits;

  if (floating && width == 8) memcpy(&bits, &value, sizeof bits);
  if (floating && width == 4) memcpy(&half_bits, &half, sizeof half), bits = half_bits;
  put(b, bits, width);
}

static char scratch_folder[] = "/tmp/infoplane_test_XXXXXX";

static inline int scratch_make(void **state)
{
  (void)state;
  return mkdtemp(scratch_folder) ? 0 : -1;
}

static inline int scratch_remove(void **state)
{
  (void)state;
  return rmdir(scratch_folder);
}

static inline const char *scratch_path(const char *name, char path[PATH_ROOM])
{
  snprintf(path, PATH_ROOM, "%s/%s", scratch_folder, name);
  return path;
}

static inline void write_file(const char *path, size_t length, const unsigned char bytes[])
{
  remove(path); /* to overwrite a file waits for the disk on some file systems */

  FILE *file = fopen(path, "wb");

  assert_non_null(file);
  assert_int_equal(fwrite(bytes, 1, length, file), length);
  fclose(file);
}

static inline void read_back(const char *path, file_bytes *b)
{
  FILE *file = fopen(path, "rb");

  assert_non_null(file);
  b->length = fread(b->at, 1, FILE_ROOM, file);
  fclose(file);
}

/** Cut the file at path off at every 1/50 of its length: each must be refused, naming it. */
static inline void cut_short(const ip_dataset_spec *spec, const char *path)
{
  static file_bytes good;

  read_back(path, &good);
  for (size_t i = 0; i < 50; i++) {
    ip_dataset *data = NULL;

    write_file(path, good.length * i / 50, good.at);
    FAILS(ip_dataset_load(spec, &data), IP_ERR_DATA, path);
    assert_null(data);
  }
  write_file(path, good.length, good.at);
}

/** Damage every step-th byte of the file at path: refused, naming it, or read as something. */
static inline void flip_bytes(const ip_dataset_spec *spec, const char *path, size_t step)
{
  static const unsigned char by[] = {0x01, 0x80, 0xff};
  static file_bytes file;

  read_back(path, &file);
  for (size_t i = 0; i < file.length * sizeof by; i += step) {
    const size_t at = i / sizeof by;
    ip_dataset *data = NULL;

    file.at[at] ^= by[i % sizeof by];
    write_file(path, file.length, file.at);
    ip_error_clear();

    const PetscErrorCode code = ip_dataset_load(spec, &data);

    if (code && (code != IP_ERR_DATA || !strstr(ip_error_message(), path)))
      fail_msg("byte %zu of %s: code %d: %s", at, path, (int)code, ip_error_message());
    assert_true((code == PETSC_SUCCESS) == (data != NULL));
    ip_dataset_destroy(&data);
    file.at[at] ^= by[i % sizeof by];
  }
  write_file(path, file.length, file.at);
}
