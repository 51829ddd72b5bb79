/* Text to checked values.  What a text means is the table's business, never YAML's guess:
   `no` is a word where words are wanted, and 85% is 85/100 rounded once. */

#include "reader.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { LONGEST_AXIS = 10000 };

/* ---- numbers -------------------------------------------------------------------------------- */

/* A decimal number: [sign] digits [. digits] [e [sign] digits]; returns what follows it, NULL if
   there is none.  Nothing else that strtod reads: no inf, nan, hexadecimal. */
static const char *skip_decimal(const char *text)
{
  static const char digit[] = "0123456789";
  size_t n;

  if (*text == '+' || *text == '-') text++;
  n = strspn(text, digit);
  text += n;
  if (*text == '.') {
    const size_t fraction = strspn(text + 1, digit);

    n += fraction;
    text += 1 + fraction;
  }
  if (n == 0) return NULL;
  if (*text == 'e' || *text == 'E') {
    const char *exponent = text + 1;

    if (*exponent == '+' || *exponent == '-') exponent++;
    n = strspn(exponent, digit);
    if (n == 0) return NULL;
    text = exponent + n;
  }
  return text;
}

static bool to_real(const char *text, bool percent, double *value)
{
  const char *end = skip_decimal(text);
  double x;

  if (!end) return false;
  errno = 0;
  x = strtod(text, NULL);
  if (errno == ERANGE || !isfinite(x)) return false;
  while (percent && *end == ' ') end++;
  if (percent && *end == '%') {
    x /= 100;
    end++;
  }
  *value = x == 0 ? 0 : x; /* one zero, without sign */
  return *end == '\0';
}

/* Multiply by ten and add a digit. */
static bool push_digit(int64_t *value, int digit)
{
  return !__builtin_mul_overflow(*value, 10, value) &&
         !__builtin_add_overflow(*value, digit, value);
}

/* Whole numbers, also as 1e4 or 10.0, exactly: never through a double. */
static bool to_integer(const char *text, int64_t *value)
{
  const char *end = skip_decimal(text);
  const bool negative = *text == '-';
  bool fraction = false;
  int64_t x = 0;
  long places = 0, zeros = 0, exponent = 0; /* zeros: not pushed yet */

  if (!end || *end) return false;
  if (*text == '+' || *text == '-') text++;
  for (; *text && *text != 'e' && *text != 'E'; text++) {
    if (*text == '.') {
      fraction = true;
      continue;
    }
    places += fraction;
    zeros++;
    if (*text == '0') continue;
    for (; zeros > 1; zeros--)
      if (!push_digit(&x, 0)) return false;
    if (!push_digit(&x, *text - '0')) return false;
    zeros = 0;
  }
  if (*text) exponent = strtol(text + 1, NULL, 10);
  if (x != 0 && (exponent > 1000 || exponent < -1000000)) return false;
  if (x != 0 && zeros + exponent - places < 0) return false;
  for (long i = zeros + exponent - places; x != 0 && i > 0; i--)
    if (!push_digit(&x, 0)) return false;
  *value = negative ? -x : x;
  return true;
}

/* hh:mm:ss, or seconds. */
static bool to_duration(const char *text, double *seconds)
{
  static const char digit[] = "0123456789";
  const size_t hours = strspn(text, digit);
  const char *rest = text + hours;

  if (hours > 0 && hours < 10 && strlen(rest) == 6 && rest[0] == ':' && rest[3] == ':' &&
      strspn(rest + 1, digit) == 2 && strspn(rest + 4, digit) == 2 && rest[1] < '6' &&
      rest[4] < '6') {
    *seconds = strtod(text, NULL) * 3600 + strtod(rest + 1, NULL) * 60 + strtod(rest + 4, NULL);
    return true;
  }
  return to_real(text, false, seconds);
}

/* i/n, 1 <= i <= n. */
static bool to_share(const char *text, int64_t *i, size_t *n)
{
  static const char digit[] = "0123456789";
  const size_t before = strspn(text, digit),
               after = text[before] == '/' ? strspn(text + before + 1, digit) : 0;

  if (before < 1 || before > 9 || after < 1 || after > 9 || text[before + 1 + after])
    return false;
  *i = strtol(text, NULL, 10);
  *n = (size_t)strtol(text + before + 1, NULL, 10);
  return *i >= 1 && (size_t)*i <= *n;
}

static bool to_switch(const char *text, int64_t *value)
{
  static const char *const word[] = {"no", "yes", "false", "true", "off", "on"};

  for (size_t i = 0; i < sizeof word / sizeof word[0]; i++)
    if (!strcasecmp(text, word[i])) {
      *value = (int64_t)(i % 2);
      return true;
    }
  return false;
}

/* ---- what a row takes ----------------------------------------------------------------------- */

static bool has_range(const ip_parameter *row)
{
  return row->low < row->high;
}

static bool in_range(const ip_parameter *row, double x)
{
  return !has_range(row) || (x >= row->low && x <= row->high);
}

static PetscErrorCode describe_range(const ip_parameter *row, ip_text *text)
{
  char low[32], high[32];

  if (!has_range(row)) return PETSC_SUCCESS;
  if (row->type == IP_INTEGER || row->type == IP_INTEGERS)
    return ip_text_add(text, " from %.0f to %.0f", row->low, row->high);
  ip_real_format(row->low, low);
  ip_real_format(row->high, high);
  return ip_text_add(text, " from %s to %s", low, high);
}

PetscErrorCode ip_describe_type(const ip_parameter *row, ip_text *text)
{
  static const char *const noun[] = {
      [IP_SWITCH] = "yes or no",
      [IP_INTEGER] = "a whole number",
      [IP_REAL] = "a number",
      [IP_CHOICE] = "one of: ",
      [IP_STRING] = "a text of one line",
      [IP_INTEGERS] = "a list like [1, 2] of whole numbers",
      [IP_INTERVAL] = "an interval [low, high]",
      [IP_DURATION] = "a time (seconds, or hh:mm:ss)",
      [IP_SHARE] = "a share i/n, as in 2/8: i from 1 to n",
  };

  PetscCall(ip_text_add(text, "%s", noun[row->type]));
  if (row->type == IP_CHOICE) return ip_names_list(row->choice, text);
  if (row->type != IP_SWITCH && row->type != IP_STRING) PetscCall(describe_range(row, text));
  for (size_t i = 0; row->choice && row->choice(i); i++)
    PetscCall(ip_text_add(text, ", %s%s", row->choice(i + 1) ? "" : "or ", row->choice(i)));
  return PETSC_SUCCESS;
}

/* ---- one value ------------------------------------------------------------------------------ */

static PetscErrorCode complain_type(ip_reader *reader, const char *label,
                                    const ip_parameter *row, const ip_node *node)
{
  ip_text wanted = {0};
  char *shown = NULL, *nearest = NULL;
  const char *word = NULL;
  PetscErrorCode code;

  if (node->kind == IP_NODE_SCALAR) {
    PetscCall(ip_show_text(reader, node->text, &shown));
    if (row->choice) word = ip_names_nearest(row->choice, node->text);
  }
  PetscCall(ip_show_nearest(reader, word, &nearest));
  code = ip_describe_type(row, &wanted);
  if (code == PETSC_SUCCESS)
    code = ip_complain(reader, node->place, "%s: %s is not %s%s", label,
                       node->kind == IP_NODE_SCALAR ? shown
                       : node->kind == IP_NODE_LIST ? "a list"
                                                    : "a mapping",
                       wanted.text, nearest);
  ip_text_clear(&wanted);
  return code;
}

/* Characters that a one-line text in double quotes brings back unchanged. */
static bool is_one_line(const char *text)
{
  const unsigned char *c = (const unsigned char *)text;

  for (; *c; c++) {
    if (*c < 0x20 || *c == 0x7f) return false;
    if (c[0] == 0xc2 && c[1] < 0xa0) return false; /* C1 */
    if (c[0] == 0xe2 && c[1] == 0x80 && (c[2] == 0xa8 || c[2] == 0xa9))
      return false;                                                /* LS PS */
    if (c[0] == 0xef && c[1] == 0xbf && c[2] > 0xbd) return false; /* U+FFFE, U+FFFF */
  }
  return true;
}

static bool read_number(const ip_parameter *row, const ip_node *node, double *x)
{
  int64_t whole;

  if (node->kind != IP_NODE_SCALAR) return false;
  if (row->type == IP_INTERVAL) return to_real(node->text, true, x) && in_range(row, *x);
  if (!to_integer(node->text, &whole)) return false;
  *x = (double)whole;
  return in_range(row, *x);
}

/* A list as one value.  An element that is wrong is named at its own place. */
static PetscErrorCode read_list(ip_reader *reader, const char *label, const ip_parameter *row,
                                const ip_node *node, ip_value *value)
{
  const ip_parameter element = {.type = row->type == IP_INTERVAL ? IP_REAL : IP_INTEGER,
                                .low = row->low,
                                .high = row->high};
  const size_t errors = reader->n_noted;
  double *list;
  size_t i = 0;

  PetscCall(IP_TAKE(&reader->arena, node->n, &list));
  for (const ip_node *child = node->first; child; child = child->next, i++)
    if (!read_number(row, child, &list[i]))
      PetscCall(complain_type(reader, label, &element, child));
  if (reader->n_noted > errors) return PETSC_SUCCESS;
  if (row->type == IP_INTERVAL && (node->n != 2 || !(list[0] < list[1])))
    return complain_type(reader, label, row, node);
  value->n = node->n;
  value->list = list;
  return PETSC_SUCCESS;
}

static bool read_scalar(const ip_parameter *row, const char *text, ip_value *value)
{
  if (row->choice && (value->word = ip_names_find(row->choice, text)) >= 0) return true;
  switch (row->type) {
  case IP_SWITCH:
    return to_switch(text, &value->integer);
  case IP_INTEGER:
    return to_integer(text, &value->integer) && in_range(row, (double)value->integer);
  case IP_REAL:
    return to_real(text, true, &value->real) && in_range(row, value->real);
  case IP_DURATION:
    return to_duration(text, &value->real) && in_range(row, value->real);
  case IP_SHARE:
    return to_share(text, &value->integer, &value->n);
  case IP_STRING:
    value->string = text;
    return is_one_line(text);
  case IP_CHOICE:
  case IP_INTEGERS:
  case IP_INTERVAL:
    break;
  }
  return false;
}

PetscErrorCode ip_value_read(ip_reader *reader, const char *label, const ip_parameter *row,
                             const ip_node *node, ip_value *value, bool *ok)
{
  const bool takes_list = row->type == IP_INTEGERS || row->type == IP_INTERVAL;
  const ip_node *child = node->first;
  ip_value read = {.word = -1};

  *ok = false;
  if (node->broken) return PETSC_SUCCESS;
  for (; child; child = child->next)
    if (child->broken) return PETSC_SUCCESS;
  if (ip_node_is_null(node))
    return ip_complain(reader, node->key ? node->key_place : node->place, "%s has no value",
                       label);
  const size_t errors = reader->n_noted;
  if (node->kind == IP_NODE_LIST && takes_list)
    PetscCall(read_list(reader, label, row, node, &read));
  else if (node->kind != IP_NODE_SCALAR || !read_scalar(row, node->text, &read))
    PetscCall(complain_type(reader, label, row, node));
  *ok = reader->n_noted == errors;
  if (*ok) *value = read;
  return PETSC_SUCCESS;
}

/* ---- a value, or the values of an axis ------------------------------------------------------- */

/* [1, 2] is one value where a list is wanted; [[1, 2], [3]] and [word, word] are several. */
static bool is_axis(const ip_parameter *row, const ip_node *node)
{
  if (node->kind != IP_NODE_LIST) return false;
  if (row->type != IP_INTEGERS && row->type != IP_INTERVAL) return true;
  for (const ip_node *child = node->first; child; child = child->next)
    if (child->kind == IP_NODE_LIST || (child->kind == IP_NODE_SCALAR && row->choice &&
                                        ip_names_find(row->choice, child->text) >= 0))
      return true;
  return false;
}

static PetscErrorCode complain_twice(ip_reader *reader, const char *label,
                                     const ip_parameter *row, const ip_node *node,
                                     const ip_value *value)
{
  ip_text text = {0};
  PetscErrorCode code = ip_value_format(row, value, &text);

  if (code == PETSC_SUCCESS)
    code =
        ip_complain(reader, node->place, "%s: %s stands twice in the list", label, text.text);
  ip_text_clear(&text);
  return code;
}

static PetscErrorCode read_axis(ip_reader *reader, const char *label, const ip_parameter *row,
                                const ip_node *node, ip_values *values)
{
  size_t n = 0, n_read = 0;

  if (node->n == 0 || node->n > LONGEST_AXIS)
    return ip_complain(reader, node->place, "%s: a list of %zu values%s", label, node->n,
                       node->n ? ": an axis has at most 10000" : " leaves nothing to do");
  PetscCall(IP_TAKE(&reader->arena, node->n, &values->value));
  for (const ip_node *child = node->first; child; child = child->next, n_read++) {
    bool ok, twice = false;

    PetscCall(ip_value_read(reader, label, row, child, &values->value[n], &ok));
    if (!ok) continue;
    for (size_t i = 0; i < n && !twice; i++)
      twice = ip_value_equal(row, &values->value[i], &values->value[n]);
    if (twice)
      PetscCall(complain_twice(reader, label, row, child, &values->value[n]));
    else
      n++;
  }
  values->n = n == n_read ? n : 0;
  return PETSC_SUCCESS;
}

PetscErrorCode ip_values_read(ip_reader *reader, const char *label, const ip_parameter *row,
                              const ip_node *node, bool axis, ip_values *values)
{
  ip_value *one;
  bool ok;

  *values = (ip_values){.given = true, .line = node->place.line, .column = node->place.column};
  if (node->place.argument > 0) values->line = node->place.argument, values->column = 0;
  if (node->broken) return PETSC_SUCCESS;
  if (is_axis(row, node) && axis) return read_axis(reader, label, row, node, values);
  if (node->kind == IP_NODE_LIST && row->type != IP_INTEGERS && row->type != IP_INTERVAL)
    return ip_complain(reader, node->place, "%s: takes one value, not a list of them", label);
  PetscCall(IP_TAKE(&reader->arena, 1, &one));
  PetscCall(ip_value_read(reader, label, row, node, one, &ok));
  values->value = one;
  values->n = ok;
  return PETSC_SUCCESS;
}

PetscErrorCode ip_values_default(ip_reader *reader, const ip_parameter *row, ip_values *values)
{
  const size_t errors = reader->n_noted;
  ip_node word = {
      .plain = true, .text = row->initial, .place = {IP_DEFAULT, 1, 1}
  };
  ip_node *node = &word;

  *values = (ip_values){0};
  if (!row->initial) return PETSC_SUCCESS;
  if (row->initial[0] == '[')
    PetscCall(ip_tree_read(reader, IP_DEFAULT, row->initial, strlen(row->initial), &node));
  if (node) PetscCall(ip_values_read(reader, row->key, row, node, true, values));
  IP_CHECK(values->n > 0 && reader->n_noted == errors, IP_ERR_INTERNAL,
           "%s: the default %s cannot be read", row->key, row->initial);
  values->given = false;
  values->line = values->column = 0;
  return PETSC_SUCCESS;
}

ip_place ip_values_place(const ip_values *values)
{
  if (values->origin == IP_ORIGIN_COMMAND_LINE) return (ip_place){values->line, 0, 0};
  return (ip_place){0, values->line, values->column};
}
