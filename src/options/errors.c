/* Errors of an input: collected, and told all at once in the order in which they stand.

       my.yaml:7:18: error: network.activation: "tahn" is not one of: ... Did you mean "tanh"?
       argument 2: error: unknown key "lerning_rate". Did you mean "train.learning_rate"?
       2 errors, nothing was started. */

#include "reader.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  SHOWN = 60,         /* characters of user text in a message          */
  MESSAGE = 15 * 1024 /* what core keeps of a message, with some spare */
};

static int compare_places(const ip_place *a, const ip_place *b)
{
  if (a->argument != b->argument) return a->argument < b->argument ? -1 : 1;
  if (a->line != b->line) return a->line < b->line ? -1 : 1;
  return (a->column > b->column) - (a->column < b->column);
}

/* Noted in order of place; of equal places the first found stays first. */
PetscErrorCode ip_complain(ip_reader *reader, ip_place place, const char *format, ...)
{
  va_list arguments;
  char text[1024], *copy;
  size_t at = reader->n_errors;

  reader->n_noted++;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  for (size_t i = 0; i < reader->n_errors; i++)
    if (!compare_places(&reader->error[i].place, &place) &&
        !strcmp(reader->error[i].text, text))
      return PETSC_SUCCESS;
  PetscCall(ip_arena_copy(&reader->arena, text, strlen(text), &copy));
  while (at > 0 && compare_places(&reader->error[at - 1].place, &place) > 0) {
    reader->error[at] = reader->error[at - 1];
    at--;
  }
  reader->error[at].place = place;
  reader->error[at].text = copy;
  reader->n_errors++;
  return reader->n_errors < IP_MOST_ERRORS ? PETSC_SUCCESS : IP_ERR_CONFIG;
}

static PetscErrorCode add_error(const ip_reader *reader, size_t i, ip_text *text)
{
  const ip_place place = reader->error[i].place;

  if (place.argument > 0)
    return ip_text_add(text, "argument %d: error: %s\n", place.argument, reader->error[i].text);
  return ip_text_add(text, "%s:%d:%d: error: %s\n", reader->name, place.line, place.column,
                     reader->error[i].text);
}

static PetscErrorCode add_errors(const ip_reader *reader, ip_text *text)
{
  const size_t n = reader->n_errors;
  size_t shown = 0;

  while (shown < n && text->length < MESSAGE - sizeof(char[2048]))
    PetscCall(add_error(reader, shown++, text));
  if (shown < n) PetscCall(ip_text_add(text, "... and %zu more\n", n - shown));
  return ip_text_add(text, "%s%zu error%s, nothing was started.",
                     n == IP_MOST_ERRORS ? "At least " : "", n, n == 1 ? "" : "s");
}

PetscErrorCode ip_complaints_raise(ip_reader *reader)
{
  ip_text text = {0};

  if (reader->n_errors == 0) return PETSC_SUCCESS;
  PetscErrorCode code = add_errors(reader, &text);
  if (code == PETSC_SUCCESS) {
    ip_error_clear();
    code = ip_error_raise(IP_ERR_CONFIG, __func__, "%s", text.text);
  }
  ip_text_clear(&text);
  return code;
}

PetscErrorCode ip_show_text(ip_reader *reader, const char *text, char **shown)
{
  char room[4 * SHOWN + 8];
  size_t length = 0, i = 0;

  for (; text[i] && i < SHOWN; i++) {
    const unsigned char c = (unsigned char)text[i];
    const bool escaped = c < 0x20 || c == 0x7f;

    length += (size_t)snprintf(room + length, sizeof room - length, escaped ? "\\x%02x" : "%c",
                               (unsigned)c);
  }
  while (text[i] && length > 0 && ((unsigned char)text[i] & 0xc0) == 0x80)
    i--, length--; /* not in the middle of a character */
  room[length] = '\0';
  return ip_arena_print(&reader->arena, shown, "\"%s%s\"", room, text[i] ? "..." : "");
}

PetscErrorCode ip_show_nearest(ip_reader *reader, const char *nearest, char **shown)
{
  if (!nearest) return ip_arena_print(&reader->arena, shown, "%s", "");
  return ip_arena_print(&reader->arena, shown, ". Did you mean \"%s\"?", nearest);
}
