/* Arrays as NumPy saves them: .npy files in a zip (.npz), stored or deflated, or in a folder.

   .npy: "\x93NUMPY", version, length of the header, the header (a Python dictionary with the keys
   descr, fortran_order and shape), the numbers.  Objects, which NumPy pickles, are refused.
   .npz: the central directory at the end of the file says where each member lies; members larger than
   4 GiB have their lengths in the ZIP64 extra field.

   A member is read from front to back, and from the start again where somebody wants to go back: its
   CRC-32 is compared when it was read whole.
   Sources: numpy.lib.format; PKWARE, APPNOTE.TXT 6.3, sections 4.3 to 4.5. */

#include "container.h"
#include "reader.h"
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { END = 22, LOCATOR = 20, END64 = 56, ENTRY = 46, LOCAL = 30, COMMENT = 65535 };
enum { MOST_HEADER = 65536, STORED = 0, DEFLATED = 8, BUFFER = 1 << 16, MOST_INFLATION = 1032 };
enum { EXTRA64 = 1, ENCRYPTED = 1 };

/* One .npy, wherever it lies. */
typedef struct {
  int fd;          /* ours, or that of the zip                       */
  uint64_t at;     /* of its first byte in the file                  */
  uint64_t packed; /* bytes there                                    */
  uint64_t size;   /* bytes of it unpacked                           */
  uint32_t crc;
  int method;
  bool has_crc;
  uint64_t numbers; /* where they begin, unpacked                    */
  ip_storage storage;
} member;

/* How far a member is read. */
typedef struct {
  size_t member; /* + 1; 0: none                          */
  uint64_t in, out;
  uint32_t crc;
  z_stream z;
  unsigned char *buffer;
} stream;

typedef struct {
  int fd; /* of the zip; -1: a folder  */
  uint64_t length;
  size_t room;
  member *member; /* shape (room)              */
  stream *s;      /* shape (arrays)            */
} archive;

/* ---- the bytes of a member ----------------------------------------------------------------------- */

static void rewind_stream(stream *s)
{
  if (s->member) inflateEnd(&s->z);
  s->member = 0;
}

static PetscErrorCode start_stream(const container *c, size_t i, stream *s)
{
  rewind_stream(s);
  if (!s->buffer) PetscCall(IP_ALLOCATE(BUFFER, &s->buffer));
  memset(&s->z, 0, sizeof s->z);
  IP_CHECK(inflateInit2(&s->z, -MAX_WBITS) == Z_OK, IP_ERR_INTERNAL,
           "%s: no memory left to inflate it", c->path);
  s->member = i + 1;
  s->in = s->out = 0;
  s->crc = 0;
  return PETSC_SUCCESS;
}

/* Up to n bytes more of what the file holds. */
static PetscErrorCode fetch(const container *c, const member *m, stream *s, void *to, size_t n,
                            size_t *got)
{
  const uint64_t left = m->packed - s->in;

  *got = left < n ? (size_t)left : n;
  PetscCall(ip_file_read(m->fd, c->path, to, *got, m->at + s->in));
  s->in += *got;
  return PETSC_SUCCESS;
}

static PetscErrorCode inflate_some(const container *c, const member *m, stream *s, size_t n,
                                   unsigned char *to)
{
  int state = Z_OK;

  s->z.next_out = to;
  s->z.avail_out = (unsigned)n;
  while (s->z.avail_out > 0 && state == Z_OK) {
    if (s->z.avail_in == 0) {
      size_t got = 0;

      PetscCall(fetch(c, m, s, s->buffer, BUFFER, &got));
      s->z.next_in = s->buffer;
      s->z.avail_in = (unsigned)got;
    }
    state = inflate(&s->z, Z_NO_FLUSH);
  }
  IP_CHECK(s->z.avail_out == 0, IP_ERR_DATA,
           "%s: the compression of %s is damaged or cut short; save the file again", c->path,
           c->array[s->member - 1].name);
  return PETSC_SUCCESS;
}

/* The next n <= BUFFER bytes. */
static PetscErrorCode next_bytes(const container *c, stream *s, size_t n, unsigned char *to)
{
  const archive *a = c->inside;
  const member *m = &a->member[s->member - 1];
  size_t got = n;

  IP_CHECK(n <= m->size - s->out, IP_ERR_DATA, "%s: %s is shorter than its header says",
           c->path, c->array[s->member - 1].name);
  if (m->method == DEFLATED)
    PetscCall(inflate_some(c, m, s, n, to));
  else
    PetscCall(fetch(c, m, s, to, n, &got));
  s->out += n;
  s->crc = (uint32_t)crc32(s->crc, to, (unsigned)n);
  IP_CHECK(s->out < m->size || !m->has_crc || s->crc == m->crc, IP_ERR_DATA,
           "%s: %s does not fit its checksum: the file is damaged; save it again", c->path,
           c->array[s->member - 1].name);
  return PETSC_SUCCESS;
}

/* From now on the bytes from `at` on follow. */
static PetscErrorCode move_to(const container *c, size_t i, uint64_t at, stream *s)
{
  unsigned char skipped[4096];

  if (s->member != i + 1 || s->out > at) PetscCall(start_stream(c, i, s));
  while (s->out < at) {
    const uint64_t left = at - s->out;

    PetscCall(next_bytes(c, s, left < sizeof skipped ? (size_t)left : sizeof skipped, skipped));
  }
  return PETSC_SUCCESS;
}

/* ---- the header of an array ------------------------------------------------------------------------ */

/* What follows a key of the dictionary; NULL: it is not there. */
static const char *after_key(const char *header, const char *key)
{
  const char *at = strstr(header, key);

  if (!at) return NULL;
  at += strlen(key);
  while (*at == ' ' || *at == ':') at++;
  return at;
}

/* '<f4' and the like. */
static void read_type(const char *at, container_array *a, ip_storage *storage)
{
  const bool quoted = at && at[0] == '\'' && at[1] != '\0';
  char order = '\0', kind = '\0';

  if (quoted) {
    order = at[1];
    kind = at[2];
  }
  const char *digits = kind ? at + 3 : "";
  const int width =
      isdigit((unsigned char)digits[0]) && digits[1] == '\'' ? digits[0] - '0' : 0;
  const bool whole = kind == 'i' || kind == 'u' || kind == 'b',
             sized = width == 1 || width == 2 || width == 4 || width == 8;

  if (kind == 'O')
    a->refused = "holds Python objects, which only a pickle can: save numbers";
  else if (!strchr("<>|=", order) ||
           !((whole && sized) || (kind == 'f' && width >= 4 && sized)))
    a->refused = "holds neither whole numbers nor float32 nor float64: save one of these";
  if (a->refused) return;
  a->integer = whole;
  a->width = (size_t)width;
  *storage = (ip_storage){.width = (size_t)width,
                          .kind = kind == 'f'   ? IP_FLOATING
                                  : kind == 'i' ? IP_SIGNED
                                                : IP_UNSIGNED,
                          .big_endian = order == '>'};
}

/* (3, 4), (3,), () */
static void read_shape(const char *at, container_array *a)
{
  bool good = at && *at == '(';

  if (good) at++;
  while (good && *at != ')') {
    char *end = NULL;

    good = isdigit((unsigned char)*at) && a->rank < CONTAINER_RANK;
    if (!good) break;
    errno = 0;
    a->size[a->rank++] = strtoull(at, &end, 10);
    good = errno == 0 && (*end == ',' || *end == ')');
    for (at = end; *at == ',' || *at == ' ';) at++;
  }
  if (!good || a->rank == 0) a->refused = "has not 1, 2 or 3 axes";
}

/* What the dictionary says; the numbers must be exactly what is left of the member. */
static void read_dictionary(const char *header, member *m, container_array *a)
{
  const char *fortran = after_key(header, "'fortran_order'");
  uint64_t bytes;
  bool too_many = false;

  read_type(after_key(header, "'descr'"), a, &m->storage);
  if (!a->refused) read_shape(after_key(header, "'shape'"), a);
  if (a->refused) return;
  if (!fortran || (strncmp(fortran, "False", 5) != 0 && a->rank > 1))
    a->refused = "is in Fortran order: save numpy.ascontiguousarray of it";
  bytes = a->width;
  for (size_t i = 0; i < a->rank; i++)
    too_many = too_many || __builtin_mul_overflow(bytes, a->size[i], &bytes);
  if (!a->refused && !too_many && bytes == 0) a->refused = "is empty";
  if (!a->refused && (too_many || bytes != m->size - m->numbers))
    a->refused = "claims another number of bytes than it has: the file is damaged";
}

static PetscErrorCode read_header(const container *c, size_t i)
{
  archive *a = c->inside;
  container_array *array = &c->array[i];
  member *m = &a->member[i];
  stream s = {0};
  unsigned char begin[12] = {0};
  char *header = NULL;
  PetscErrorCode code = start_stream(c, i, &s);

  if (!code) code = next_bytes(c, &s, 10, begin);
  const bool one = begin[6] == 1;
  size_t length = (size_t)begin[8] | (size_t)begin[9] << 8;

  if (!code && !one) code = next_bytes(c, &s, 2, begin + 10);
  length |= (size_t)begin[10] << 16 | (size_t)begin[11] << 24;
  if (!code && (memcmp(begin, "\x93NUMPY", 6) != 0 || begin[6] < 1 || begin[6] > 3))
    array->refused = "is no .npy of NumPy's format 1 to 3";
  else if (!code && (length > MOST_HEADER || length > m->size - s.out))
    array->refused = "has a damaged header";
  if (!code && !array->refused) code = IP_ALLOCATE(length + 1, &header);
  for (size_t done = 0; header && done < length && !code;) {
    const size_t n = length - done < BUFFER ? length - done : BUFFER;

    code = next_bytes(c, &s, n, (unsigned char *)header + done);
    done += n;
  }
  m->numbers = s.out;
  if (!code && header) read_dictionary(header, m, array);
  ip_release(&header);
  rewind_stream(&s);
  ip_release(&s.buffer);
  return code;
}

/* ---- a zip ------------------------------------------------------------------------------------------- */

static uint64_t number_at(const unsigned char at[], size_t width)
{
  uint64_t number = 0;

  for (size_t i = width; i-- > 0;) number = number << 8 | at[i];
  return number;
}

/* One more array; `name` without .npy. */
static PetscErrorCode add(container *c, const char *name, size_t length, const member *m)
{
  archive *a = c->inside;
  const size_t before = a->room;

  if (length < 5 || length - 4 >= CONTAINER_NAME || memcmp(name + length - 4, ".npy", 4) != 0)
    return PETSC_SUCCESS; /* not for us */
  PetscCall(container_grow(c, &a->room));
  if (a->room != before) {
    member *larger = NULL;

    PetscCall(IP_ALLOCATE(a->room, &larger));
    if (c->n > 0) memcpy(larger, a->member, c->n * sizeof *larger);
    ip_release(&a->member);
    a->member = larger;
  }
  c->array[c->n] = (container_array){0};
  memcpy(c->array[c->n].name, name, length - 4);
  a->member[c->n++] = *m;
  return PETSC_SUCCESS;
}

/* Lengths of 64 bits stand in the extra field, in this order, where those of 32 are all ones. */
static void read_extra(const unsigned char *extra, size_t length, uint64_t *const wide[3])
{
  for (size_t at = 0; at + 4 <= length;) {
    const size_t id = number_at(extra + at, 2), size = number_at(extra + at + 2, 2);
    size_t used = 0;

    at += 4;
    if (size > length - at) return;
    for (int i = 0; i < 3 && id == EXTRA64; i++) {
      if (*wide[i] != UINT32_MAX || used + 8 > size) continue;
      *wide[i] = number_at(extra + at + used, 8);
      used += 8;
    }
    at += size;
  }
}

/* A member as its entry of the directory and its own header say. */
static PetscErrorCode take_entry(container *c, const unsigned char *entry, const char *name,
                                 size_t name_length, size_t extra_length)
{
  const archive *a = c->inside;
  member m = {.fd = a->fd,
              .method = (int)number_at(entry + 10, 2),
              .has_crc = true,
              .crc = (uint32_t)number_at(entry + 16, 4),
              .packed = number_at(entry + 20, 4),
              .size = number_at(entry + 24, 4)};
  uint64_t local = number_at(entry + 42, 4), *const wide[3] = {&m.size, &m.packed, &local};
  unsigned char head[LOCAL];

  read_extra(entry + ENTRY + name_length, extra_length, wide);
  IP_CHECK(local <= a->length - LOCAL, IP_ERR_DATA, "%s: a member lies past its end: cut short",
           c->path);
  PetscCall(ip_file_read(a->fd, c->path, head, sizeof head, local));
  m.at = local + LOCAL + number_at(head + 26, 2) + number_at(head + 28, 2);
  IP_CHECK(memcmp(head, "PK\3\4", 4) == 0 && m.at <= a->length && m.packed <= a->length - m.at,
           IP_ERR_DATA, "%s: a member lies past its end: cut short, or damaged", c->path);
  IP_CHECK(!(number_at(entry + 8, 2) & ENCRYPTED) &&
               (m.method == DEFLATED || (m.method == STORED && m.size == m.packed)),
           IP_ERR_DATA, "%s: %.*s is encrypted, or packed in a way that NumPy does not use",
           c->path, (int)name_length, name);
  IP_CHECK(m.size / MOST_INFLATION <= m.packed, IP_ERR_DATA,
           "%s: %.*s claims %llu bytes, more than its %llu bytes can hold", c->path,
           (int)name_length, name, (unsigned long long)m.size, (unsigned long long)m.packed);
  return add(c, name, name_length, &m);
}

static PetscErrorCode list_entries(container *c, const unsigned char *directory, size_t length)
{
  for (size_t at = 0; at + ENTRY <= length;) {
    const unsigned char *entry = directory + at;
    const size_t name = number_at(entry + 28, 2), extra = number_at(entry + 30, 2),
                 comment = number_at(entry + 32, 2), left = length - at - ENTRY;

    IP_CHECK(memcmp(entry, "PK\1\2", 4) == 0 && name + extra + comment <= left, IP_ERR_DATA,
             "%s: its directory is damaged", c->path);
    PetscCall(take_entry(c, entry, (const char *)entry + ENTRY, name, extra));
    at += ENTRY + name + extra + comment;
  }
  return PETSC_SUCCESS;
}

/* Where the directory lies, from the last bytes of the file. */
static PetscErrorCode find_directory(const container *c, uint64_t *at, uint64_t *length)
{
  const archive *a = c->inside;
  const size_t most = END + COMMENT + LOCATOR,
               tail = a->length < most ? (size_t)a->length : most;
  unsigned char *bytes = NULL, wide[END64] = {0};
  bool found = false, large = false;

  PetscCall(IP_ALLOCATE(tail, &bytes));
  PetscErrorCode code = ip_file_read(a->fd, c->path, bytes, tail, a->length - tail);

  for (size_t i = tail < END ? 0 : tail - END + 1; i-- > 0 && !code && !found;) {
    if (memcmp(bytes + i, "PK\5\6", 4) != 0) continue;
    found = true;
    *length = number_at(bytes + i + 12, 4);
    *at = number_at(bytes + i + 16, 4);
    large = i >= LOCATOR && memcmp(bytes + i - LOCATOR, "PK\6\7", 4) == 0 &&
            (*at == UINT32_MAX || *length == UINT32_MAX);
    const uint64_t where = large ? number_at(bytes + i - LOCATOR + 8, 8) : 0;

    if (large && a->length >= END64 && where <= a->length - END64)
      code = ip_file_read(a->fd, c->path, wide, sizeof wide, where);
  }
  if (large) {
    *length = number_at(wide + 40, 8);
    *at = number_at(wide + 48, 8);
    found = memcmp(wide, "PK\6\6", 4) == 0;
  }
  ip_release(&bytes);
  PetscCall(code);
  IP_CHECK(found && *at <= a->length && *length <= a->length - *at, IP_ERR_DATA,
           "%s: the directory at the end of the .npz is missing: cut short, or damaged",
           c->path);
  return PETSC_SUCCESS;
}

static PetscErrorCode open_zip(container *c)
{
  archive *a = c->inside;
  struct stat about;
  uint64_t at = 0, length = 0;
  unsigned char *directory = NULL;

  a->fd = ip_file_open(c->path, O_RDONLY);
  IP_CHECK(a->fd >= 0 && fstat(a->fd, &about) == 0, IP_ERR_NO_INPUT, "%s: %s", c->path,
           strerror(errno));
  a->length = (uint64_t)about.st_size;
  IP_CHECK(a->length >= END, IP_ERR_DATA, "%s: cut short", c->path);
  PetscCall(find_directory(c, &at, &length));
  PetscCall(IP_ALLOCATE(length, &directory)); /* bytes that are there */
  PetscErrorCode code = ip_file_read(a->fd, c->path, directory, length, at);

  if (!code) code = list_entries(c, directory, length);
  ip_release(&directory);
  return code;
}

/* ---- a folder ------------------------------------------------------------------------------------------ */

static PetscErrorCode open_member(container *c, const char *name)
{
  member m = {.method = STORED};
  struct stat about = {0};
  ip_text path = {0};

  PetscCall(ip_text_add(&path, "%s/%s", c->path, name));
  m.fd = ip_file_open(path.text, O_RDONLY | O_NONBLOCK);
  const int why = errno;
  const bool good = m.fd >= 0 && fstat(m.fd, &about) == 0 && S_ISREG(about.st_mode);
  PetscErrorCode code =
      good ? PETSC_SUCCESS
           : ip_error_raise(IP_ERR_NO_INPUT, __func__, "%s: %s", path.text,
                            m.fd >= 0 ? "is not a regular file" : strerror(why));
  const size_t before = c->n;

  ip_text_clear(&path);
  if (!code) m.size = m.packed = (uint64_t)about.st_size;
  if (!code) code = add(c, name, strlen(name), &m);
  if (m.fd >= 0 && c->n == before) close(m.fd);
  return code;
}

static PetscErrorCode open_folder(container *c)
{
  DIR *folder = opendir(c->path);
  const struct dirent *entry;
  PetscErrorCode code = PETSC_SUCCESS;

  IP_CHECK(folder, IP_ERR_NO_INPUT, "%s: %s", c->path, strerror(errno));
  while (!code && (entry = readdir(folder)) != NULL) {
    const size_t length = strlen(entry->d_name);

    if (length >= 5 && strcmp(entry->d_name + length - 4, ".npy") == 0)
      code = open_member(c, entry->d_name);
  }
  closedir(folder);
  return code;
}

/* ---- the kind ------------------------------------------------------------------------------------------ */

static PetscErrorCode open_arrays(container *c)
{
  struct stat about;
  archive *a = NULL;

  PetscCall(IP_ALLOCATE(1, &a));
  a->fd = -1;
  c->inside = a;
  const bool folder = stat(c->path, &about) == 0 && S_ISDIR(about.st_mode);

  PetscCall(folder ? open_folder(c) : open_zip(c));
  PetscCall(IP_ALLOCATE(c->n, &a->s));
  for (size_t i = 0; i < c->n; i++) PetscCall(read_header(c, i));
  return PETSC_SUCCESS;
}

static PetscErrorCode read_rows(container *c, size_t array, uint64_t outer, uint64_t row,
                                uint64_t rows, double value[])
{
  archive *a = c->inside;
  const container_array *s = &c->array[array];
  const member *m = &a->member[array];
  const uint64_t last = s->rank > 1 ? s->size[s->rank - 1] : 1,
                 middle = s->rank == 3 ? s->size[1] : 0, first = (outer * middle + row) * last;
  unsigned char bytes[4096];
  const size_t each = sizeof bytes / s->width;
  uint64_t left = rows * last;

  PetscCall(move_to(c, array, m->numbers + first * s->width, &a->s[array]));
  while (left > 0) {
    const size_t n = left < each ? (size_t)left : each;

    PetscCall(next_bytes(c, &a->s[array], n * s->width, bytes));
    for (size_t i = 0; i < n; i++)
      *value++ = ip_storage_number(&m->storage, bytes + i * s->width);
    left -= n;
  }
  return PETSC_SUCCESS;
}

static void close_arrays(container *c)
{
  archive *a = c->inside;

  if (!a) return;
  for (size_t i = 0; i < c->n; i++) {
    if (a->s) rewind_stream(&a->s[i]);
    if (a->s) ip_release(&a->s[i].buffer);
    if (a->fd < 0 && a->member[i].fd >= 0) close(a->member[i].fd);
  }
  if (a->fd >= 0) close(a->fd);
  ip_release(&a->s);
  ip_release(&a->member);
  ip_release(&c->inside);
}

const container_kind container_npy = {
    .name = "NumPy", .open = open_arrays, .read = read_rows, .close = close_arrays};
