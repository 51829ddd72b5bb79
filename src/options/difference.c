/* What differs between two config texts, in words.

   Both are what ip_options_config wrote, one line per key, so lines are compared, not options: a
   text of another version may hold keys that this one does not know. */

#include <infoplane/options.h>
#include <string.h>

/* Part of a text. */
typedef struct {
  const char *at;
  size_t length;
} piece;

/* Name and keys of a block:  - name: "main" ... up to the next one. */
typedef struct {
  piece name, rest;
} block;

static const char name_mark[] = "  - name: ", key_mark[] = "    ";

static bool equal(piece a, piece b)
{
  return a.length == b.length && (a.length == 0 || memcmp(a.at, b.at, a.length) == 0);
}

static bool begins(piece text, const char *start)
{
  return text.length >= strlen(start) && memcmp(text.at, start, strlen(start)) == 0;
}

static piece skip(piece text, size_t n)
{
  return (piece){text.at + n, text.length - n};
}

/* Take the next line off the text; false at its end. */
static bool take_line(piece *text, piece *line)
{
  const char *end;

  if (text->length == 0) return false;
  end = memchr(text->at, '\n', text->length);
  line->at = text->at;
  line->length = end ? (size_t)(end - text->at) : text->length;
  *text = skip(*text, line->length + (end != NULL));
  return true;
}

/* Take the next "key: value" off a block. */
static bool take_key(piece *rest, piece *key, piece *value)
{
  piece line;

  while (take_line(rest, &line)) {
    const char *colon;

    if (!begins(line, key_mark)) continue;
    *key = skip(line, strlen(key_mark));
    colon = memchr(key->at, ':', key->length);
    if (!colon) continue;
    *value = skip(*key, (size_t)(colon - key->at) + 1);
    key->length = (size_t)(colon - key->at);
    if (value->length > 0) *value = skip(*value, 1);
    return true;
  }
  return false;
}

/* Take the next block off the text. */
static bool take_block(piece *text, block *b)
{
  piece line, after;

  do
    if (!take_line(text, &line)) return false;
  while (!begins(line, name_mark));
  b->name = skip(line, strlen(name_mark));
  if (b->name.length > 2 && b->name.at[0] == '"')
    b->name = (piece){b->name.at + 1, b->name.length - 2};
  b->rest = *text;
  for (after = *text; take_line(&after, &line) && !begins(line, name_mark);) *text = after;
  b->rest.length = (size_t)(text->at - b->rest.at);
  return true;
}

static bool find_block(piece text, piece name, block *found)
{
  while (take_block(&text, found))
    if (equal(found->name, name)) return true;
  return false;
}

static bool find_key(const block *b, piece key, piece *value)
{
  piece rest = b->rest, name;

  while (take_key(&rest, &name, value))
    if (equal(name, key)) return true;
  return false;
}

/* The entries {...} of one list that the other does not have. */
static PetscErrorCode compare_entries(piece name, piece have, piece other, const char *whose,
                                      ip_text *words)
{
  const char *open, *close;

  while ((open = memchr(have.at, '{', have.length)) != NULL &&
         (close = memchr(open, '}', have.length - (size_t)(open - have.at))) != NULL) {
    const size_t length = (size_t)(close - open) + 1;

    if (!memmem(other.at, other.length, open, length))
      PetscCall(ip_text_add(words, "study %.*s: estimate: only %s has %.*s\n", (int)name.length,
                            name.at, whose, (int)length, open));
    have = skip(have, (size_t)(close + 1 - have.at));
  }
  return PETSC_SUCCESS;
}

static PetscErrorCode compare_values(piece name, piece key, piece file, piece input,
                                     ip_text *words)
{
  const size_t before = words->length;

  if (equal(file, input)) return PETSC_SUCCESS;
  if (equal(key, (piece){"estimate", 8})) {
    PetscCall(compare_entries(name, file, input, "the file", words));
    PetscCall(compare_entries(name, input, file, "the input", words));
    if (words->length > before) return PETSC_SUCCESS;
  }
  return ip_text_add(words, "study %.*s: %.*s: the file has %.*s, the input says %.*s\n",
                     (int)name.length, name.at, (int)key.length, key.at, (int)file.length,
                     file.at, (int)input.length, input.at);
}

static PetscErrorCode compare_blocks(const block *file, const block *input, ip_text *words)
{
  const piece name = file->name;
  piece rest, key, value, other;

  for (rest = file->rest; take_key(&rest, &key, &value);) {
    if (find_key(input, key, &other))
      PetscCall(compare_values(name, key, value, other, words));
    else
      PetscCall(ip_text_add(words, "study %.*s: %.*s: the file has %.*s, the input nothing\n",
                            (int)name.length, name.at, (int)key.length, key.at,
                            (int)value.length, value.at));
  }
  for (rest = input->rest; take_key(&rest, &key, &value);)
    if (!find_key(file, key, &other))
      PetscCall(ip_text_add(
          words, "study %.*s: %.*s: the file has nothing, the input says %.*s\n",
          (int)name.length, name.at, (int)key.length, key.at, (int)value.length, value.at));
  return PETSC_SUCCESS;
}

PetscErrorCode ip_options_difference(const char *file, const char *input, ip_text *words)
{
  const piece in_file = {file, strlen(file)}, in_input = {input, strlen(input)};
  const size_t before = words->length;
  piece rest;
  block one, other;

  if (!strcmp(file, input)) return PETSC_SUCCESS;
  for (rest = in_file; take_block(&rest, &one);) {
    if (find_block(in_input, one.name, &other))
      PetscCall(compare_blocks(&one, &other, words));
    else
      PetscCall(ip_text_add(words, "study %.*s: the file has it, the input does not\n",
                            (int)one.name.length, one.name.at));
  }
  for (rest = in_input; take_block(&rest, &one);)
    if (!find_block(in_file, one.name, &other))
      PetscCall(ip_text_add(words, "study %.*s: the input has it, the file does not\n",
                            (int)one.name.length, one.name.at));
  if (words->length > before) return PETSC_SUCCESS;
  return ip_text_add(words, "the same blocks stand in another order\n");
}
