/* Claims and tables of a file: every study, run by run, in every estimator column. */

#include "plot.h"
#include "report.h"
#include "tables.h"
#include <infoplane/view.h>
#include <string.h>

enum { SHOWN_LINES = 13 /* a heading among them */, TABLES = 16 };

/* Everything that is made from one file. */
typedef struct {
  const sweep *s;
  plot_folder folder;
  FILE *say; /* NULL: claims alone, no tables */
  findings all;
  csv table[TABLES];     /* in the order of tables.def */
  ip_text brief[TABLES]; /* lines of each for people   */
} report;

/* ---- reading ----------------------------------------------------------------------------- */

static PetscErrorCode fill_tables(report *r, const subject *x)
{
  for (size_t i = 0; tables_row(i); i++) {
    const table_row *row = tables_row(i);

    if (x->column == SWEEP_NONE ? row->of_runs : row->of_columns)
      PetscCall(row->fill(x, &r->table[i], &r->brief[i]));
  }
  return PETSC_SUCCESS;
}

static void clear_digests(size_t n, digest **d)
{
  for (size_t g = 0; *d && g < n; g++) digest_clear(&(*d)[g]);
  ip_release(d);
}

/* Digests of all groups with finished runs; the others stay unmeasured. */
static PetscErrorCode read_digests(const subject *x, digest **made)
{
  digest *d = NULL;
  PetscErrorCode code = IP_ALLOCATE(x->study->n, &d);

  for (size_t g = 0; !code && g < x->study->n; g++) {
    const sweep_group *group = &x->study->group[g];

    if (group->n == 0) continue;
    code = x->column == SWEEP_NONE ? digest_runs(x->s, group, &d[g])
                                   : digest_column(x->s, group, (size_t)x->column, &d[g]);
  }
  if (code)
    clear_digests(x->study->n, &d);
  else
    *made = d;
  return code;
}

static bool is_measured(const subject *x)
{
  for (size_t g = 0; g < x->study->n; g++)
    if (x->of[g].measured) return true;
  return false;
}

/* One column of a study, or its runs alone. */
static PetscErrorCode report_subject(report *r, const subject *x)
{
  if (is_measured(x) || x->column == SWEEP_NONE) PetscCall(claims_judge(x, &r->all));
  return is_measured(x) && r->say ? fill_tables(r, x) : PETSC_SUCCESS;
}

static PetscErrorCode report_columns(report *r, subject *x)
{
  digest *of = NULL;
  PetscErrorCode code = PETSC_SUCCESS;

  for (size_t c = 0; !code && c < r->s->n_columns; c++) {
    x->column = (int)c;
    code = read_digests(x, &of);
    x->of = of;
    if (!code) code = report_subject(r, x);
    clear_digests(x->study->n, &of);
  }
  return code;
}

static PetscErrorCode report_study(report *r, const sweep_study *study)
{
  subject x = {.s = r->s, .study = study, .column = SWEEP_NONE};
  digest *common = NULL;
  PetscErrorCode code = read_digests(&x, &common);

  if (!code) {
    x.of = x.common = common;
    code = report_subject(r, &x);
  }
  if (!code) code = report_columns(r, &x);
  clear_digests(study->n, &common);
  return code;
}

/* ---- writing ----------------------------------------------------------------------------- */

/* The first lines of a table, and how many more there are. */
static void print_brief(const report *r, size_t i)
{
  const table_row *row = tables_row(i);
  const char *line = r->brief[i].text;
  size_t more = 0;

  if (!line) return;
  fprintf(r->say, "%s.csv\n", row->name);
  claims_wrap(r->say, 1, row->sentence);
  for (size_t n = 0; *line; n++) {
    const size_t length = strcspn(line, "\n") + 1;

    if (n < SHOWN_LINES)
      fprintf(r->say, "%.*s", (int)length, line);
    else
      more++;
    line += length;
  }
  if (more > 0) fprintf(r->say, " ... and %zu more in %s.csv\n", more, row->name);
}

static PetscErrorCode write_tables(report *r)
{
  for (size_t i = 0; tables_row(i); i++) {
    ip_text name = {0};

    if (r->table[i].rows < 2) continue; /* a header alone */
    PetscErrorCode code = ip_text_add(&name, "%s.csv", tables_row(i)->name);

    if (!code) code = plot_write(&r->folder, name.text, &r->table[i].text);
    ip_text_clear(&name);
    if (code) return code;
    print_brief(r, i);
  }
  return PETSC_SUCCESS;
}

static PetscErrorCode write_claims(report *r)
{
  csv table = {0}, definitions = {0};
  PetscErrorCode code = claims_complete(&r->all);

  if (!code) code = claims_write(r->s, &r->all, &table);
  if (!code) code = claims_write_definitions(&definitions);
  if (!code) code = plot_write(&r->folder, "claims.csv", &table.text);
  if (!code) code = plot_write(&r->folder, "claims_defined.csv", &definitions.text);
  if (!code) code = claims_print(r->s, &r->all, r->say);
  csv_clear(&definitions);
  csv_clear(&table);
  return code;
}

static PetscErrorCode make_report(report *r)
{
  for (size_t i = 0; tables_row(i); i++) {
    IP_CHECK(i < TABLES, IP_ERR_INTERNAL, "more than %d tables", (int)TABLES);
    PetscCall(csv_header(&r->table[i], tables_row(i)->header));
  }
  for (size_t i = 0; i < r->s->n_studies; i++) PetscCall(report_study(r, &r->s->study[i]));
  PetscCall(write_tables(r));
  return write_claims(r);
}

PetscErrorCode report_claims(const sweep *s, findings *all)
{
  report r = {.s = s};
  PetscErrorCode code = PETSC_SUCCESS;

  for (size_t i = 0; i < s->n_studies && !code; i++) code = report_study(&r, &s->study[i]);
  if (!code) code = claims_complete(&r.all);
  if (code)
    claims_clear(&r.all);
  else
    *all = r.all;
  return code;
}

PetscErrorCode ip_view_claims(const char *path, const char *folder, FILE *say)
{
  report r = {.say = say};
  sweep *s = NULL;

  PetscCall(sweep_open(path, &s));
  r.s = s;
  PetscErrorCode code = plot_folder_open(folder, &r.folder);

  if (!code) code = make_report(&r);

  for (size_t i = 0; i < TABLES; i++) {
    csv_clear(&r.table[i]);
    ip_text_clear(&r.brief[i]);
  }
  claims_clear(&r.all);
  plot_folder_close(&r.folder);
  sweep_close(&s);
  return code;
}
