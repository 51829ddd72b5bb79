/* Tables as comma-separated values.  Source of the quoting: RFC 4180. */

#include "csv.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- cells ------------------------------------------------------------------------------- */

static void add(csv *table, const char *text)
{
  if (!table->code)
    table->code = ip_text_add(&table->text, "%s%s", table->cells > 0 ? "," : "", text);
  table->cells++;
}

static void add_quoted(csv *table, const char *text)
{
  add(table, "\"");
  for (; *text && !table->code; text++)
    table->code = ip_text_add(&table->text, *text == '"' ? "%c\"" : "%c", *text);
  if (!table->code) table->code = ip_text_add(&table->text, "\"");
}

void csv_text(csv *table, const char *text)
{
  if (strpbrk(text, ",\"\r\n"))
    add_quoted(table, text);
  else
    add(table, text);
}

void csv_number(csv *table, double value)
{
  char text[32] = "";

  if (!isnan(value)) snprintf(text, sizeof text, "%.9g", value);
  add(table, text);
}

void csv_count(csv *table, size_t value)
{
  char text[32];

  snprintf(text, sizeof text, "%zu", value);
  add(table, text);
}

void csv_interval(csv *table, const interval *value)
{
  csv_number(table, value->value);
  csv_number(table, value->low);
  csv_number(table, value->high);
}

PetscErrorCode csv_end(csv *table)
{
  if (!table->code) table->code = ip_text_add(&table->text, "\n");
  table->cells = 0;
  table->rows++;
  return table->code;
}

PetscErrorCode csv_header(csv *table, const char *names)
{
  add(table, names);
  return csv_end(table);
}

void csv_clear(csv *table)
{
  ip_text_clear(&table->text);
  *table = (csv){0};
}
