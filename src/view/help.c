/* Figures and tables in words, from their tables. */

#include "figure.h"
#include "tables.h"
#include <infoplane/view.h>
#include <string.h>

enum { LABEL = 14 };

const char *ip_view_topic(size_t i)
{
  for (size_t f = 0; figure_row(f); f++)
    if (i-- == 0) return figure_row(f)->name;
  return tables_row(i) ? tables_row(i)->name : NULL;
}

const char *ip_view_sentence(size_t i)
{
  for (size_t f = 0; figure_row(f); f++)
    if (i-- == 0) return figure_row(f)->shows;
  return tables_row(i) ? tables_row(i)->sentence : NULL;
}

static PetscErrorCode add_figure(const figure_kind *f, ip_text *text)
{
  PetscCall(ip_text_add(text, "figure %s, drawn by infoplane figures FILE.h5\n", f->name));
  PetscCall(ip_text_wrap(text, 2, "  ", f->shows));
  PetscCall(ip_text_wrap(text, LABEL, "  pictures",
                         f->by_column ? "one for every study and estimator column: "
                                        "columns=all draws every column"
                                      : "one for every study"));
  if (f->most > 0)
    PetscCall(
        ip_text_add(text, "  %-*sat most %zu on a picture\n", LABEL - 2, "groups", f->most));
  return f->across ? ip_text_add(text, "  %-*s%s, which the groups of a picture differ in\n",
                                 LABEL - 2, "across", f->across)
                   : PETSC_SUCCESS;
}

static PetscErrorCode add_table(const table_row *t, ip_text *text)
{
  ip_text columns = {0};
  PetscErrorCode code = PETSC_SUCCESS;

  for (const char *c = t->header; *c && !code; c++)
    code = ip_text_add(&columns, "%c%s", *c, *c == ',' ? " " : "");
  if (!code)
    code = ip_text_add(text, "table %s.csv, written by infoplane figures FILE.h5\n", t->name);
  if (!code) code = ip_text_wrap(text, 2, "  ", t->sentence);
  if (!code) code = ip_text_wrap(text, LABEL, "  columns", columns.text);
  ip_text_clear(&columns);
  return code;
}

PetscErrorCode ip_view_help(const char *topic, ip_text *text)
{
  bool found = false;

  for (size_t f = 0; figure_row(f); f++)
    if (strcmp(figure_row(f)->name, topic) == 0) {
      PetscCall(add_figure(figure_row(f), text));
      found = true;
    }
  for (size_t t = 0; tables_row(t); t++)
    if (strcmp(tables_row(t)->name, topic) == 0) {
      if (found) PetscCall(ip_text_add(text, "\n"));
      PetscCall(add_table(tables_row(t), text));
      found = true;
    }
  IP_CHECK(found, IP_ERR_USAGE, "no figure and no table \"%.60s\"", topic);
  return PETSC_SUCCESS;
}
