/* Values as text that reads back to the same bits. */

#include <infoplane/core.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void ip_real_format(double value, char text[32])
{
  /* %g would write 1e+04, which is no whole number to a reader of input files. */
  if (fabs(value) < 1e15 && value == trunc(value)) {
    snprintf(text, 32, "%.0f", value);
    return;
  }
  for (int digits = 1; digits <= 17; digits++) {
    snprintf(text, 32, "%.*g", digits, value);
    if (strtod(text, NULL) == value) return;
  }
}

/* A text in double quotes, with what YAML and JSON escape escaped. */
static PetscErrorCode add_quoted(const char *string, ip_text *text)
{
  PetscCall(ip_text_add(text, "\""));
  for (const char *c = string; *c; c++) {
    if (*c == '"' || *c == '\\')
      PetscCall(ip_text_add(text, "\\%c", *c));
    else if ((unsigned char)*c < 0x20)
      PetscCall(ip_text_add(text, "\\x%02x", (unsigned)(unsigned char)*c));
    else
      PetscCall(ip_text_add(text, "%c", *c));
  }
  return ip_text_add(text, "\"");
}

static PetscErrorCode add_list(size_t n, const double list[], ip_text *text)
{
  char number[32];

  PetscCall(ip_text_add(text, "["));
  for (size_t i = 0; i < n; i++) {
    ip_real_format(list[i], number);
    PetscCall(ip_text_add(text, i == 0 ? "%s" : ", %s", number));
  }
  return ip_text_add(text, "]");
}

PetscErrorCode ip_value_format(const ip_parameter *row, const ip_value *value, ip_text *text)
{
  char number[32];

  if (value->word >= 0 && row->choice)
    return ip_text_add(text, "%s", row->choice((size_t)value->word));
  switch (row->type) {
  case IP_SWITCH:
    return ip_text_add(text, "%s", value->integer ? "yes" : "no");
  case IP_INTEGER:
    return ip_text_add(text, "%" PRId64, value->integer);
  case IP_REAL:
  case IP_DURATION:
    ip_real_format(value->real, number);
    return ip_text_add(text, "%s", number);
  case IP_STRING:
    return add_quoted(value->string, text);
  case IP_INTEGERS:
  case IP_INTERVAL:
    return add_list(value->n, value->list, text);
  case IP_SHARE:
    return ip_text_add(text, "%" PRId64 "/%zu", value->integer, value->n);
  case IP_CHOICE:
    break;
  }
  IP_CHECK(false, IP_ERR_INTERNAL, "%s: a choice without a word", row->key);
}

/* Bit for bit: 0 and -0 differ, NaN is itself. */
static bool same_bits(size_t n, const double a[], const double b[])
{
  for (size_t i = 0; i < n; i++) {
    uint64_t left, right;

    memcpy(&left, &a[i], sizeof left);
    memcpy(&right, &b[i], sizeof right);
    if (left != right) return false;
  }
  return true;
}

bool ip_value_equal(const ip_parameter *row, const ip_value *a, const ip_value *b)
{
  if (!a || !b) return a == b;
  if (a->word != b->word) return false;
  if (a->word >= 0) return true;
  switch (row->type) {
  case IP_SWITCH:
  case IP_INTEGER:
    return a->integer == b->integer;
  case IP_REAL:
  case IP_DURATION:
    return same_bits(1, &a->real, &b->real);
  case IP_STRING:
    return strcmp(a->string, b->string) == 0;
  case IP_INTEGERS:
  case IP_INTERVAL:
    return a->n == b->n && same_bits(a->n, a->list, b->list);
  case IP_SHARE:
    return a->integer == b->integer && a->n == b->n;
  case IP_CHOICE:
    break;
  }
  return true;
}
