/* The list of tables, and what they share. */

#include "tables.h"
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { NAME = 32 }; /* columns of a name in print */

static const table_row row[] = {
#define IP_TABLE(name, of_columns, of_runs, sentence, header)                                  \
  {#name, sentence, header, of_columns, of_runs, table_fill_##name},
#include "tables.def"
#undef IP_TABLE
};

const table_row *tables_row(size_t i)
{
  return i < sizeof row / sizeof row[0] ? &row[i] : NULL;
}

const char *table_column(const subject *x)
{
  return x->column == SWEEP_NONE ? "" : x->s->column[x->column];
}

PetscErrorCode table_mean(const subject *x, size_t group, size_t layer, layer_number number,
                          const char *what, interval *out)
{
  const sweep_group *g = &x->study->group[group];
  double *value = NULL;
  ip_text key = {0};
  PetscErrorCode code = IP_ALLOCATE(g->n, &value);

  if (!code)
    code = ip_text_add(&key, "%s|%s|%s|%s|%zu", what, x->study->name, g->label, table_column(x),
                       layer);
  for (size_t i = 0; !code && i < g->n; i++) value[i] = number(x, group, i, layer);
  if (!code) code = stats_mean(g->n, value, stats_key_of(key.text), out);
  ip_text_clear(&key);
  ip_release(&value);
  return code;
}

PetscErrorCode table_put_mean(const subject *x, size_t group, size_t layer, layer_number number,
                              csv *table)
{
  interval mean;

  PetscCall(table_mean(x, group, layer, number, "table", &mean));
  csv_interval(table, &mean);
  return PETSC_SUCCESS;
}

void table_put_place(const subject *x, size_t group, csv *table)
{
  csv_text(table, x->study->name);
  csv_text(table, x->study->group[group].label);
}

double table_option(const subject *x, size_t group, const char *name)
{
  const int k = sweep_key_find(x->s, name);

  return k < 0 ? (double)NAN : x->study->group[group].key[k];
}

const char *table_word(const subject *x, size_t group, const char *name)
{
  const double value = table_option(x, group, name);
  const int k = sweep_key_find(x->s, name);

  if (!(value >= 0.0) || value >= (double)x->s->key[k].n_words) return "";
  return x->s->key[k].word[(size_t)value];
}

bool table_varies(const subject *x, const char *name)
{
  const int k = sweep_key_find(x->s, name);

  return k >= 0 && x->study->varies[k];
}

bool table_is_main(const subject *x)
{
  return x->column == sweep_main_column(x->s);
}

/* Four digits; all of them before the point, as counts of updates are read. */
static void format_number(double value, char text[32])
{
  snprintf(text, 32, fabs(value) >= 1000.0 ? "%.0f" : "%.4g", value);
}

void table_format(double value, double low, double high, char text[40])
{
  char of_value[32], of_low[32], of_high[32];

  format_number(value, of_value);
  format_number(low, of_low);
  format_number(high, of_high);
  if (isnan(value))
    snprintf(text, 40, "-");
  else if (isinf(value))
    snprintf(text, 40, "not by half");
  else if (isnan(low))
    snprintf(text, 40, "%.10s", of_value);
  else
    snprintf(text, 40, "%.10s [%.10s, %.10s]", of_value, of_low, of_high);
}

PetscErrorCode table_brief(const subject *x, size_t group, ip_text *brief, const char *heading,
                           const char *format, ...)
{
  const char *label = x->study->group[group].label;
  char name[96], rest[128];
  va_list values;

  va_start(values, format);
  vsnprintf(rest, sizeof rest, format, values);
  va_end(values);
  snprintf(name, sizeof name, "%s%s%s", x->study->name, label[0] ? ": " : "", label);
  if (brief->length == 0)
    PetscCall(ip_text_add(brief, " %-*s %s\n", NAME, "study: setting", heading));
  if (strlen(name) <= NAME) return ip_text_add(brief, " %-*s %s\n", NAME, name, rest);
  return ip_text_add(brief, " %s\n %-*s %s\n", name, NAME, "", rest); /* a line of its own */
}
