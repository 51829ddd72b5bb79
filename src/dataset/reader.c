/* What the readers of files share: bytes of a file, gzipped or not; numbers in bytes; labels. */

#include "reader.h"
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

enum { FIRST_ROOM = 1 << 16, LARGEST_LABEL = 65535 };

double ip_storage_number(const ip_storage *storage, const unsigned char at[])
{
  const size_t width = storage->width;
  const unsigned char top = at[storage->big_endian ? 0 : width - 1];
  const bool negative = storage->kind == IP_SIGNED && top & 0x80;
  uint64_t bits = negative ? UINT64_MAX : 0;

  for (size_t i = 0; i < width; i++)
    bits = bits << 8 | at[storage->big_endian ? i : width - 1 - i];
  if (storage->kind == IP_FLOATING && width == sizeof(float)) {
    const uint32_t half = (uint32_t)bits;
    float number;

    memcpy(&number, &half, sizeof number);
    return (double)number;
  }
  if (storage->kind == IP_FLOATING) {
    double number;

    memcpy(&number, &bits, sizeof number);
    return number;
  }
  return negative ? -(double)~bits - 1.0 : (double)bits;
}

PetscErrorCode ip_reader_open(const char *path, gzFile *file)
{
  const int fd = ip_file_open(path, O_RDONLY);

  IP_CHECK(fd >= 0, IP_ERR_NO_INPUT, "%s: %s; see dataset.path", path, strerror(errno));

  gzFile opened = gzdopen(fd, "rb");

  if (!opened) close(fd);
  IP_CHECK(opened != NULL, IP_ERR_INTERNAL, "%s: no memory left to read it", path);
  gzbuffer(opened, FIRST_ROOM);
  *file = opened;
  return PETSC_SUCCESS;
}

PetscErrorCode ip_reader_grow(size_t limit, size_t *room, unsigned char **bytes)
{
  const size_t doubled = *room ? 2 * *room : FIRST_ROOM,
               larger = doubled < limit ? doubled : limit;
  unsigned char *moved;

  PetscCall(IP_ALLOCATE(larger, &moved));
  if (*room > 0) memcpy(moved, *bytes, *room);
  ip_release(bytes);
  *bytes = moved;
  *room = larger;
  return PETSC_SUCCESS;
}

static PetscErrorCode read_some(gzFile file, const char *path, size_t limit,
                                unsigned char **bytes, size_t *length)
{
  size_t room = 0;

  while (*length < limit) {
    if (*length == room) PetscCall(ip_reader_grow(limit, &room, bytes));

    const size_t left = room - *length, asked = left < 1U << 30 ? left : 1U << 30;
    const int got = gzread(file, *bytes + *length, (unsigned)asked);
    int problem;
    const char *text = gzerror(file, &problem);

    IP_CHECK(problem != Z_ERRNO, IP_ERR_NO_INPUT, "%s: cannot be read: %s", path,
             strerror(errno));
    IP_CHECK(got >= 0 && (problem == Z_OK || problem == Z_STREAM_END), IP_ERR_DATA,
             "%s: its compression is damaged or cut short (%s); fetch the file again", path,
             text);
    if (got == 0) break;
    *length += (size_t)got;
  }
  return PETSC_SUCCESS;
}

PetscErrorCode ip_reader_bytes(gzFile file, const char *path, size_t limit,
                               unsigned char **bytes, size_t *length)
{
  unsigned char *read = NULL;
  size_t got = 0;
  const PetscErrorCode code = read_some(file, path, limit, &read, &got);

  if (code) ip_release(&read);
  PetscCall(code);
  *bytes = read;
  *length = got;
  return PETSC_SUCCESS;
}

size_t ip_reader_rows(const ip_dataset_spec *spec, size_t n)
{
  const bool first = spec->samples > 0 && !spec->keyed_choice;

  return first && (uint64_t)spec->samples < n ? (size_t)spec->samples : n;
}

PetscErrorCode ip_reader_inputs(const char *path, uint64_t n, uint64_t d, ip_dataset *data)
{
  size_t values;

  IP_CHECK(1 <= n && n <= INT32_MAX && 1 <= d && d <= INT32_MAX, IP_ERR_DATA,
           "%s: %llu patterns of %llu features; 1 .. 2147483647 of each are possible", path,
           (unsigned long long)n, (unsigned long long)d);
  IP_CHECK(!__builtin_mul_overflow((size_t)n, (size_t)d, &values), IP_ERR_DATA,
           "%s: %llu patterns of %llu features do not fit into memory", path,
           (unsigned long long)n, (unsigned long long)d);
  PetscCall(IP_ALLOCATE(values, &data->x));
  data->n = (size_t)n;
  data->d = (size_t)d;
  return PETSC_SUCCESS;
}

PetscErrorCode ip_reader_labels(const char *path, size_t n, const double label[],
                                ip_dataset *data)
{
  int32_t largest = 1;

  PetscCall(IP_ALLOCATE(n, &data->y));
  for (size_t i = 0; i < n; i++) {
    IP_CHECK(label[i] >= 0 && label[i] <= LARGEST_LABEL && label[i] == rint(label[i]),
             IP_ERR_DATA,
             "%s: label %g of pattern %zu is not a whole number 0 .. %d; number the classes "
             "from 0",
             path, label[i], i, LARGEST_LABEL);
    data->y[i] = (int32_t)label[i];
    if (data->y[i] > largest) largest = data->y[i];
  }
  data->k = largest + 1;
  return PETSC_SUCCESS;
}
