/* MATLAB 5 files: a header of 128 bytes, then elements (type, length, bytes, padding to 8), a
   variable being an element of elements, deflated or not.  Wanted: F (n, d), column-major, and
   y (1, n) or (n, 1).
   Source: MathWorks, "MAT-File Format", chapter 1 (level 5). */

#include "reader.h"
#include <string.h>

enum { HEADER = 128, TAG = 8, LONGEST_NAME = 63 };
enum { TYPE_INT32 = 5, TYPE_UINT32 = 6, TYPE_MATRIX = 14, TYPE_COMPRESSED = 15 };
enum { CLASS_DOUBLE = 6, CLASS_UINT64 = 15, COMPLEX = 0x800 };

/* What a file of this kind may hold at most, and an element inflated: lengths have 32 bits. */
static const size_t most_bytes = (size_t)UINT32_MAX + TAG;

typedef struct {
  const char *path;
  bool big_endian;
} source;

/* Bytes that are left to read. */
typedef struct {
  const unsigned char *at;
  size_t length;
} view;

typedef struct {
  uint32_t type;
  view body;
} element;

/* A variable: numbers of shape (rows, columns), column-major. */
typedef struct {
  char name[LONGEST_NAME + 1];
  uint32_t flags;
  size_t rows, columns;
  element numbers;
} variable;

/* What has been found so far. */
typedef struct {
  double *label;
  size_t labels;
  ip_dataset *data;
} contents;

static uint32_t word_at(const source *s, const unsigned char at[])
{
  const ip_storage word = {.kind = IP_UNSIGNED, .width = 4, .big_endian = s->big_endian};

  return (uint32_t)ip_storage_number(&word, at);
}

/* Take the next element off the view. */
static PetscErrorCode next_element(const source *s, view *rest, element *next)
{
  IP_CHECK(rest->length >= TAG, IP_ERR_DATA, "%s: cut short inside an element", s->path);

  const uint32_t first = word_at(s, rest->at);
  const bool small = first >> 16; /* type and length in one word, data in the other */
  const size_t length = small ? first >> 16 : word_at(s, rest->at + 4), start = small ? 4 : TAG;

  IP_CHECK(length <= (small ? 4 : rest->length - TAG), IP_ERR_DATA,
           "%s: an element claims %zu bytes, %zu are there; the file is cut short or damaged",
           s->path, length, small ? 4 : rest->length - TAG);
  next->type = small ? first & 0xffff : first;
  next->body = (view){rest->at + start, length};

  size_t taken = small ? TAG : TAG + length;

  if (next->type != TYPE_COMPRESSED) taken = (taken + 7) / 8 * 8;
  if (taken > rest->length) taken = rest->length; /* some writers do not pad the last one */
  rest->at += taken;
  rest->length -= taken;
  return PETSC_SUCCESS;
}

/* Type of the numbers (8, 10 and 11 are reserved) -> how they lie in the file; false for what is
   no number. */
static bool storage_of(const source *s, uint32_t type, ip_storage *storage)
{
  static const ip_storage row[] = {
      {0, IP_UNSIGNED, false},
      {1, IP_SIGNED,   false},
      {1, IP_UNSIGNED, false},
      {2, IP_SIGNED,   false},
      {2, IP_UNSIGNED, false},
      {4, IP_SIGNED,   false},
      {4, IP_UNSIGNED, false},
      {4, IP_FLOATING, false},
      {0, IP_UNSIGNED, false},
      {8, IP_FLOATING, false},
      {0, IP_UNSIGNED, false},
      {0, IP_UNSIGNED, false},
      {8, IP_SIGNED,   false},
      {8, IP_UNSIGNED, false},
  };

  if (type >= sizeof row / sizeof row[0] || row[type].width == 0) return false;
  *storage = row[type];
  storage->big_endian = s->big_endian;
  return true;
}

/* Flags, shape and name of a variable; its numbers are looked at only if it is wanted. */
static PetscErrorCode read_variable(const source *s, view body, variable *v)
{
  element flags, shape, name;

  PetscCall(next_element(s, &body, &flags));
  PetscCall(next_element(s, &body, &shape));
  PetscCall(next_element(s, &body, &name));
  IP_CHECK(flags.type == TYPE_UINT32 && flags.body.length == 8 && shape.type == TYPE_INT32 &&
               shape.body.length >= 8 && shape.body.length % 4 == 0,
           IP_ERR_DATA, "%s: a variable without flags or shape; the file is damaged", s->path);
  v->flags = word_at(s, flags.body.at);
  v->rows = word_at(s, shape.body.at);
  v->columns = word_at(s, shape.body.at + 4);
  if (shape.body.length > 8) v->rows = 0; /* more than two axes */

  const size_t length = name.body.length < LONGEST_NAME ? name.body.length : LONGEST_NAME;

  memcpy(v->name, name.body.at, length);
  v->name[length] = '\0';
  v->numbers = (element){.body = body};
  return PETSC_SUCCESS;
}

/* The numbers of a wanted variable, checked against its shape. */
static PetscErrorCode check_numbers(const source *s, variable *v, ip_storage *storage)
{
  const uint32_t kind = v->flags & 0xff;
  view body = v->numbers.body;
  size_t bytes;

  IP_CHECK(CLASS_DOUBLE <= kind && kind <= CLASS_UINT64 && !(v->flags & COMPLEX), IP_ERR_DATA,
           "%s: %s is no full array of real numbers; save double(full(real(%s)))", s->path,
           v->name, v->name);
  IP_CHECK(v->rows > 0 && v->columns > 0, IP_ERR_DATA,
           "%s: %s is empty or has more than two axes; F is (n, d) and y (1, n)", s->path,
           v->name);
  PetscCall(next_element(s, &body, &v->numbers));
  IP_CHECK(storage_of(s, v->numbers.type, storage), IP_ERR_DATA,
           "%s: %s holds values of type %u, which is no number", s->path, v->name,
           v->numbers.type);
  IP_CHECK(!__builtin_mul_overflow(v->rows, v->columns, &bytes) &&
               !__builtin_mul_overflow(bytes, storage->width, &bytes) &&
               bytes == v->numbers.body.length,
           IP_ERR_DATA, "%s: %s is announced as %zu x %zu, but %zu bytes of numbers are there",
           s->path, v->name, v->rows, v->columns, v->numbers.body.length);
  return PETSC_SUCCESS;
}

/* F: column-major as MATLAB has it -> row-major. */
static PetscErrorCode take_inputs(const source *s, variable *v, ip_dataset *data)
{
  ip_storage storage;

  IP_CHECK(!data->x, IP_ERR_DATA, "%s: holds F twice", s->path);
  PetscCall(check_numbers(s, v, &storage));
  PetscCall(ip_reader_inputs(s->path, v->rows, v->columns, data));

  const unsigned char *at = v->numbers.body.at;

  for (size_t j = 0; j < data->d; j++)
    for (size_t i = 0; i < data->n; i++, at += storage.width)
      data->x[i * data->d + j] = (float)ip_storage_number(&storage, at);
  return PETSC_SUCCESS;
}

static PetscErrorCode take_labels(const source *s, variable *v, contents *found)
{
  ip_storage storage;

  IP_CHECK(!found->label, IP_ERR_DATA, "%s: holds y twice", s->path);
  PetscCall(check_numbers(s, v, &storage));
  IP_CHECK(v->rows == 1 || v->columns == 1, IP_ERR_DATA,
           "%s: y is %zu x %zu; one label for each pattern is meant, (1, n) or (n, 1)", s->path,
           v->rows, v->columns);
  found->labels = v->rows * v->columns;
  PetscCall(IP_ALLOCATE(found->labels, &found->label));
  for (size_t i = 0; i < found->labels; i++)
    found->label[i] = ip_storage_number(&storage, v->numbers.body.at + i * storage.width);
  return PETSC_SUCCESS;
}

static PetscErrorCode take_variable(const source *s, view body, contents *found)
{
  variable v;

  PetscCall(read_variable(s, body, &v));
  if (strcmp(v.name, "F") == 0) PetscCall(take_inputs(s, &v, found->data));
  if (strcmp(v.name, "y") == 0) PetscCall(take_labels(s, &v, found));
  return PETSC_SUCCESS;
}

/* Inflate all of packed, in steps, since its own word on its length is not to be trusted. */
static PetscErrorCode inflate_steps(const source *s, z_stream *stream, unsigned char **bytes,
                                    size_t *length)
{
  size_t room = 0;
  int state = Z_OK;

  while (state != Z_STREAM_END) {
    IP_CHECK(*length < most_bytes, IP_ERR_DATA,
             "%s: a variable inflates to more than %zu bytes", s->path, most_bytes);
    if (*length == room) PetscCall(ip_reader_grow(most_bytes, &room, bytes));

    const size_t left = room - *length, step = left < 1U << 30 ? left : 1U << 30;

    stream->next_out = *bytes + *length;
    stream->avail_out = (uInt)step;
    state = inflate(stream, Z_NO_FLUSH);
    IP_CHECK(state == Z_OK || state == Z_STREAM_END, IP_ERR_DATA,
             "%s: a compressed variable is damaged or cut short (%s); fetch the file again",
             s->path, stream->msg ? stream->msg : "unexpected end");
    *length += step - stream->avail_out;
  }
  return PETSC_SUCCESS;
}

static PetscErrorCode take_inflated(const source *s, view inflated, contents *found)
{
  element inner;

  PetscCall(next_element(s, &inflated, &inner));
  if (inner.type == TYPE_MATRIX) PetscCall(take_variable(s, inner.body, found));
  return PETSC_SUCCESS;
}

static PetscErrorCode take_compressed(const source *s, view packed, contents *found)
{
  z_stream stream = {.next_in = packed.at, .avail_in = (uInt)packed.length};
  unsigned char *bytes = NULL;
  size_t length = 0;

  IP_CHECK(inflateInit(&stream) == Z_OK, IP_ERR_INTERNAL, "no memory left to inflate %s",
           s->path);

  PetscErrorCode code = inflate_steps(s, &stream, &bytes, &length);

  inflateEnd(&stream);
  if (!code) code = take_inflated(s, (view){bytes, length}, found);
  ip_release(&bytes);
  return code;
}

static PetscErrorCode check_header(source *s, view file)
{
  IP_CHECK(file.length >= HEADER && memcmp(file.at, "MATLAB", 6) == 0, IP_ERR_DATA,
           "%s: not a MATLAB 5 file; in MATLAB: save('-v7', ...)", s->path);

  const unsigned char *end = file.at + HEADER - 4; /* version and mark of the byte order */

  s->big_endian = memcmp(end + 2, "MI", 2) == 0;
  IP_CHECK(s->big_endian || memcmp(end + 2, "IM", 2) == 0, IP_ERR_DATA,
           "%s: its header has no byte order; the file is damaged", s->path);

  const unsigned version = s->big_endian ? end[0] : end[1];

  IP_CHECK(version != 2, IP_ERR_DATA,
           "%s: a MATLAB 7.3 file, that is HDF5; in MATLAB: save('-v7', ...)", s->path);
  IP_CHECK(version == 1, IP_ERR_DATA, "%s: MATLAB files of version %u cannot be read", s->path,
           version);
  return PETSC_SUCCESS;
}

static PetscErrorCode read_file(source *s, view file, contents *found)
{
  PetscCall(check_header(s, file));
  file.at += HEADER;
  file.length -= HEADER;
  while (file.length > 0) {
    element e;

    PetscCall(next_element(s, &file, &e));
    if (e.type == TYPE_COMPRESSED) PetscCall(take_compressed(s, e.body, found));
    if (e.type == TYPE_MATRIX) PetscCall(take_variable(s, e.body, found));
  }
  IP_CHECK(found->data->x && found->label, IP_ERR_DATA,
           "%s: has no variable %s; F (n, d) holds the patterns, y (1, n) the labels", s->path,
           found->data->x ? "y" : "F");
  IP_CHECK(found->data->n == found->labels, IP_ERR_DATA,
           "%s: F has %zu patterns (rows), but y %zu labels", s->path, found->data->n,
           found->labels);
  return ip_reader_labels(s->path, found->labels, found->label, found->data);
}

static PetscErrorCode load(const ip_dataset_spec *spec, ip_dataset *data)
{
  source s = {.path = spec->path};
  contents found = {.data = data};
  unsigned char *bytes = NULL;
  size_t length = 0;
  gzFile file;

  PetscCall(ip_reader_open(s.path, &file));

  PetscErrorCode code = PETSC_SUCCESS;

  if (!gzdirect(file)) /* deflated twice, a thousand bytes could become a thousand million */
    code = ip_error_raise(IP_ERR_DATA, __func__,
                          "%s: is gzipped; MATLAB compresses inside its files, so gunzip it",
                          s.path);
  if (!code) code = ip_reader_bytes(file, s.path, most_bytes, &bytes, &length);
  gzclose(file);
  if (!code) code = read_file(&s, (view){bytes, length}, &found);
  ip_release(&found.label);
  ip_release(&bytes);
  return code;
}

const ip_dataset_kind ip_dataset_mat = {
    .name = "mat",
    .sentence = "MATLAB 5 file with F (n, d) and y (1, n), as the authors' var_u.mat",
    .reference = "MathWorks, MAT-File Format, level 5",
    .needs_path = true,
    .load = load,
};
