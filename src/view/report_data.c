/* What a page shows of a file, as JSON: axes, studies, groups, runs, curves and claims, and the numbers of
   the runs in packed arrays. */

#include "figure.h"
#include "report.h"
#include <math.h>
#include <string.h>

/* Fields of the page: of a column, a layer, a run. */
typedef enum { OF_COLUMN, OF_LAYER, OF_RUN } field_kind;
typedef struct {
  const char *name;
  field_kind kind;
  bool logarithm;
} field_row;

static const field_row fields[] = {
    {"i_xt",               OF_COLUMN, false},
    {"i_ty",               OF_COLUMN, false},
    {"loss_train",         OF_RUN,    true },
    {"loss_test",          OF_RUN,    true },
    {"accuracy_train",     OF_RUN,    false},
    {"accuracy_test",      OF_RUN,    false},
    {"gradient_mean_norm", OF_LAYER,  true },
    {"gradient_std_norm",  OF_LAYER,  true },
    {"weight_norm",        OF_LAYER,  true },
};

/* A run on the page, and the group that it was met in first. */
typedef struct {
  size_t row;
  const sweep_group *group;
  double seed, replicate;
} page_run;

typedef struct {
  const sweep *s;
  report_limits limits;
  size_t n;
  page_run *run;
  int32_t *place; /* shape (s->n_runs): place of a row in run, -1 = not on the page */
  ip_text *json;
} page_data;

/* ---- lists ------------------------------------------------------------------------------------------ */

static PetscErrorCode comma(page_data *d, size_t i)
{
  return i > 0 ? ip_text_add(d->json, ",") : PETSC_SUCCESS;
}

static PetscErrorCode put_name(page_data *d, const char *name, const char *text)
{
  PetscCall(ip_text_add(d->json, "\"%s\": ", name));
  PetscCall(report_text(d->json, text));
  return ip_text_add(d->json, ", ");
}

static PetscErrorCode put_numbers(page_data *d, const char *name, size_t n,
                                  const double value[])
{
  PetscCall(ip_text_add(d->json, "\"%s\": [", name));
  for (size_t i = 0; i < n; i++) {
    PetscCall(comma(d, i));
    PetscCall(report_number(d->json, value[i]));
  }
  return ip_text_add(d->json, "]");
}

/* ---- the file --------------------------------------------------------------------------------------- */

static PetscErrorCode put_attribute(page_data *d, const char *name)
{
  char *text = NULL;

  if (ip_results_attribute(d->s->file, NULL, name, &text)) {
    ip_error_clear(); /* a file without it has nothing to say here */
    return put_name(d, name, "");
  }
  const PetscErrorCode code = put_name(d, name, text);

  ip_release(&text);
  return code;
}

static PetscErrorCode put_axes(page_data *d)
{
  const sweep *s = d->s;

  PetscCall(ip_text_add(d->json, "\"layers\": %zu, \"epoch\": [", s->n_layers));
  for (size_t e = 0; e < s->n_epochs; e++) {
    PetscCall(comma(d, e));
    PetscCall(ip_text_add(d->json, "%d", (int)s->epoch[e]));
  }
  PetscCall(ip_text_add(d->json, "],\n\"columns\": ["));
  for (size_t c = 0; c < s->n_columns; c++) {
    PetscCall(comma(d, c));
    PetscCall(ip_text_add(d->json, "{"));
    PetscCall(put_name(d, "kind", s->column_kind[c]));
    PetscCall(put_name(d, "on", s->column_on[c]));
    PetscCall(ip_text_add(d->json, "\"name\": "));
    PetscCall(report_text(d->json, s->column[c]));
    PetscCall(ip_text_add(d->json, "}"));
  }
  PetscCall(ip_text_add(d->json, "],\n\"main\": %d, \"keys\": [", sweep_main_column(s)));
  for (size_t k = 0; k < s->n_keys; k++) {
    PetscCall(comma(d, k));
    PetscCall(report_text(d->json, s->key[k].name));
  }
  return ip_text_add(d->json, "],\n");
}

/* The bottleneck curve of each data set; null where labels are certain. */
static PetscErrorCode put_curve(page_data *d, size_t data, size_t n, double value[])
{
  static const char *const name[] = {"curve_i_xt", "curve_i_ty"};
  const size_t start[2] = {data, 0}, count[2] = {1, n};

  for (size_t k = 0; k < 2; k++) {
    PetscCall(ip_results_block(d->s->file, name[k], 2, start, count, value));
    if (k == 0 && !isfinite(value[n - 1])) return ip_text_add(d->json, "null");
    PetscCall(ip_text_add(d->json, k ? ", " : "{"));
    PetscCall(put_numbers(d, k ? "y" : "x", n, value));
  }
  return ip_text_add(d->json, "}");
}

static PetscErrorCode put_curves(page_data *d)
{
  const size_t n = ip_results_axis(d->s->file, "beta"),
               sets = ip_results_axis(d->s->file, "data");
  double *value = NULL;
  PetscErrorCode code = PETSC_SUCCESS;

  PetscCall(ip_text_add(d->json, "\"curves\": ["));
  if (n > 0 && sweep_has(d->s, "curve_i_xt")) {
    PetscCall(IP_ALLOCATE(n, &value));
    for (size_t i = 0; i < sets && !code; i++) {
      code = comma(d, i);
      if (!code) code = put_curve(d, i, n, value);
    }
    ip_release(&value);
    PetscCall(code);
  }
  return ip_text_add(d->json, "],\n");
}

/* ---- groups ------------------------------------------------------------------------------------------- */

static PetscErrorCode put_keys(page_data *d, const sweep_group *g)
{
  char text[64];

  PetscCall(ip_text_add(d->json, "\"key\": ["));
  for (size_t k = 0; k < d->s->n_keys; k++) {
    sweep_key_format(d->s, g, k, text);
    PetscCall(comma(d, k));
    PetscCall(report_text(d->json, text));
  }
  return ip_text_add(d->json, "], ");
}

/* Entropies in every column, of those runs that have them. */
static PetscErrorCode put_caps(page_data *d, const sweep_group *g)
{
  figure f = {.s = d->s};

  PetscCall(ip_text_add(d->json, "\"caps\": ["));
  for (f.column = 0; f.column < d->s->n_columns; f.column++) {
    figure_caps caps;

    PetscCall(figure_caps_read(&f, g, &caps));
    PetscCall(comma(d, f.column));
    PetscCall(ip_text_add(d->json, "["));
    PetscCall(report_number(d->json, g->n > 0 ? caps.h_x : (double)NAN));
    PetscCall(ip_text_add(d->json, ","));
    PetscCall(report_number(d->json, g->n > 0 ? caps.h_y : (double)NAN));
    PetscCall(ip_text_add(d->json, ","));
    PetscCall(report_number(d->json, g->n > 0 ? caps.i_xy : (double)NAN));
    PetscCall(ip_text_add(d->json, "]"));
  }
  return ip_text_add(d->json, "], ");
}

static PetscErrorCode put_looks(page_data *d, const sweep_group *g)
{
  const size_t looks = report_kept(g->n_looks, d->limits.looks);

  PetscCall(ip_text_add(d->json, "\"look\": ["));
  for (size_t l = 0; l < looks; l++) {
    PetscCall(comma(d, l));
    PetscCall(ip_text_add(d->json, "%d",
                          (int)g->look[report_thinned(g->n_looks, d->limits.looks, l)]));
  }
  PetscCall(ip_text_add(d->json, "], \"updates\": ["));
  for (size_t l = 0; l < looks; l++) {
    PetscCall(comma(d, l));
    PetscCall(
        report_number(d->json, g->updates[report_thinned(g->n_looks, d->limits.looks, l)]));
  }
  return ip_text_add(d->json, "], ");
}

/* Its runs get places in d->run where they have none. */
static PetscErrorCode put_runs(page_data *d, const sweep_group *g)
{
  const size_t runs = report_kept(g->n, d->limits.runs);

  PetscCall(ip_text_add(d->json, "\"runs\": ["));
  for (size_t i = 0; i < runs; i++) {
    const size_t from = report_thinned(g->n, d->limits.runs, i), row = g->run[from];

    if (d->place[row] < 0) {
      d->place[row] = (int32_t)d->n;
      d->run[d->n++] = (page_run){row, g, g->seed[from], g->replicate[from]};
    }
    PetscCall(comma(d, i));
    PetscCall(ip_text_add(d->json, "%d", (int)d->place[row]));
  }
  return ip_text_add(d->json, "]");
}

static PetscErrorCode put_group(page_data *d, const sweep_group *g)
{
  PetscCall(ip_text_add(d->json,
                        "{\"n\": %zu, \"diverged\": %zu, \"failed\": %zu, \"pending\": %zu, "
                        "\"data\": %zu, \"width\": [%zu",
                        g->n, g->diverged, g->failed, g->pending, g->data, g->features));
  for (size_t l = 0; l < g->layers; l++)
    PetscCall(ip_text_add(d->json, ",%d", (int)g->width[l]));
  PetscCall(ip_text_add(d->json, "], "));
  PetscCall(put_name(d, "label", g->label[0] ? g->label : d->s->architecture[g->architecture]));
  PetscCall(put_keys(d, g));
  PetscCall(put_caps(d, g));
  PetscCall(put_looks(d, g));
  PetscCall(put_runs(d, g));
  return ip_text_add(d->json, "}");
}

static PetscErrorCode put_study(page_data *d, const sweep_study *study)
{
  PetscCall(ip_text_add(d->json, "{"));
  PetscCall(put_name(d, "name", study->name));
  PetscCall(ip_text_add(d->json, "\"varies\": ["));
  for (size_t k = 0; k < d->s->n_keys; k++) {
    PetscCall(comma(d, k));
    PetscCall(ip_text_add(d->json, study->varies[k] ? "1" : "0"));
  }
  PetscCall(ip_text_add(d->json, "], \"groups\": ["));
  for (size_t g = 0; g < study->n; g++) {
    PetscCall(ip_text_add(d->json, g > 0 ? ",\n" : "\n"));
    PetscCall(put_group(d, &study->group[g]));
  }
  return ip_text_add(d->json, "]}");
}

static PetscErrorCode put_studies(page_data *d)
{
  PetscCall(ip_text_add(d->json, "\"studies\": ["));
  for (size_t i = 0; i < d->s->n_studies; i++) {
    PetscCall(comma(d, i));
    PetscCall(put_study(d, &d->s->study[i]));
  }
  return ip_text_add(d->json, "],\n");
}

/* ---- runs --------------------------------------------------------------------------------------------- */

/* Its number in the complete plan, what keys its random numbers, and the onset of diffusion in every layer
   (the look at which it is seen). */
static PetscErrorCode put_run(page_data *d, const page_run *r, double cell[])
{
  const size_t start[1] = {r->row}, count[1] = {1};
  double number;

  PetscCall(ip_results_block(d->s->file, "run", 1, start, count, &number));
  PetscCall(ip_text_add(d->json, "[%.0f,%.0f,%.0f", number, r->seed, r->replicate));
  if (sweep_has(d->s, "onset_epoch")) {
    PetscCall(sweep_cells(d->s, "onset_epoch", r->row, cell));
    for (size_t l = 0; l < r->group->layers; l++)
      PetscCall(ip_text_add(d->json, ",%.0f", cell[2 * l + 1]));
  }
  return ip_text_add(d->json, "]");
}

static PetscErrorCode put_all_runs(page_data *d)
{
  double *cell = NULL;
  PetscErrorCode code;

  PetscCall(ip_text_add(d->json, "\"runs\": ["));
  PetscCall(IP_ALLOCATE(2 * d->s->n_layers, &cell));
  code = PETSC_SUCCESS;
  for (size_t r = 0; r < d->n && !code; r++) {
    code = comma(d, r);
    if (!code) code = put_run(d, &d->run[r], cell);
  }
  ip_release(&cell);
  return code ? code : ip_text_add(d->json, "],\n");
}

/* ---- numbers of the runs ------------------------------------------------------------------------------- */

static report_block block_of(const page_data *d, const page_run *r, const field_row *f)
{
  return (report_block){report_kept(r->group->n_looks, d->limits.looks),
                        f->kind == OF_RUN ? 1 : r->group->layers};
}

/* Fill value, block after block; curve: scratch of (n_epochs, n_layers). */
static PetscErrorCode read_field(page_data *d, const field_row *f, size_t column,
                                 double curve[], double value[])
{
  for (size_t i = 0; i < d->n; i++) {
    const page_run *r = &d->run[i];
    const report_block b = block_of(d, r, f);

    PetscCall(sweep_curve(d->s, f->name, r->row, column, curve));
    for (size_t l = 0; l < b.looks; l++) {
      const size_t look =
          (size_t)r->group->look[report_thinned(r->group->n_looks, d->limits.looks, l)];

      for (size_t c = 0; c < b.cells; c++)
        *value++ = curve[f->kind == OF_RUN ? look : look * d->s->n_layers + c];
    }
  }
  return PETSC_SUCCESS;
}

static PetscErrorCode put_field(page_data *d, const field_row *f, size_t column)
{
  report_block *block = NULL;
  double *curve = NULL, *value = NULL;
  size_t values = 0;
  PetscErrorCode code = IP_ALLOCATE(d->n, &block);

  for (size_t i = 0; i < d->n && !code; i++) {
    block[i] = block_of(d, &d->run[i], f);
    values += block[i].looks * block[i].cells;
  }
  if (!code) code = IP_ALLOCATE(d->s->n_epochs * d->s->n_layers, &curve);
  if (!code) code = IP_ALLOCATE(values, &value);
  if (!code) code = read_field(d, f, column, curve, value);
  if (!code) code = report_pack(d->n, block, value, f->logarithm, d->json);
  ip_release(&block);
  ip_release(&curve);
  ip_release(&value);
  return code;
}

/* {"i_xt": [one for each column], "weight_norm": [one], ...} */
static PetscErrorCode put_fields(page_data *d)
{
  size_t named = 0;

  PetscCall(ip_text_add(d->json, "\"fields\": {"));
  for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
    const size_t columns = fields[i].kind == OF_COLUMN ? d->s->n_columns : 1;

    if (!sweep_has(d->s, fields[i].name)) continue;
    PetscCall(ip_text_add(d->json, "%s\n\"%s\": [", named++ ? "," : "", fields[i].name));
    for (size_t c = 0; c < columns; c++) {
      PetscCall(comma(d, c));
      PetscCall(put_field(d, &fields[i], c));
    }
    PetscCall(ip_text_add(d->json, "]"));
  }
  return ip_text_add(d->json, "},\n");
}

/* ---- claims --------------------------------------------------------------------------------------------- */

static PetscErrorCode put_finding(page_data *d, const finding *f)
{
  const claim *c = claim_row(f->claim);

  PetscCall(ip_text_add(d->json, "{"));
  PetscCall(put_name(d, "number", c->number));
  PetscCall(put_name(d, "who", c->who));
  PetscCall(put_name(d, "sentence", c->sentence));
  PetscCall(put_name(d, "definition", c->definition));
  PetscCall(put_name(d, "study", f->study ? f->study->name : ""));
  PetscCall(put_name(d, "setting", f->setting.text ? f->setting.text : ""));
  PetscCall(put_name(d, "compared", f->compared.text ? f->compared.text : ""));
  PetscCall(put_name(d, "column", f->column == SWEEP_NONE ? "" : d->s->column[f->column]));
  PetscCall(put_name(d, "unit", c->unit));
  PetscCall(put_name(d, "claimed", c->side == AT_LEAST ? "at least" : "at most"));
  PetscCall(put_name(d, "verdict", verdict_name(f->verdict)));
  PetscCall(put_name(d, "note", f->note.text ? f->note.text : ""));
  PetscCall(ip_text_add(d->json, "\"n\": %zu, ", f->effect.n));
  PetscCall(put_numbers(d, "numbers", 4,
                        (const double[]){f->effect.value, f->effect.low, f->effect.high,
                                         c->how == SHOWN ? (double)NAN : c->margin}));
  return ip_text_add(d->json, "}");
}

static PetscErrorCode put_claims(page_data *d, const findings *claims)
{
  PetscCall(ip_text_add(d->json, "\"claims\": ["));
  for (size_t i = 0; i < claims->n; i++) {
    PetscCall(ip_text_add(d->json, i > 0 ? ",\n" : "\n"));
    PetscCall(put_finding(d, &claims->finding[i]));
  }
  return ip_text_add(d->json, "]");
}

/* ---- all of it -------------------------------------------------------------------------------------------- */

/* What the limits leave out, in words for people; "" for nothing. */
static PetscErrorCode put_thinned(page_data *d)
{
  size_t looks = 0, runs = 0;

  for (size_t i = 0; i < d->s->n_studies; i++)
    for (size_t g = 0; g < d->s->study[i].n; g++) {
      looks = d->s->study[i].group[g].n_looks > looks ? d->s->study[i].group[g].n_looks : looks;
      runs = d->s->study[i].group[g].n > runs ? d->s->study[i].group[g].n : runs;
    }
  PetscCall(ip_text_add(d->json, "\"thinned\": \""));
  if (looks > d->limits.looks)
    PetscCall(ip_text_add(d->json, "%zu of up to %zu looks", d->limits.looks, looks));
  if (runs > d->limits.runs)
    PetscCall(ip_text_add(d->json, "%s%zu of up to %zu networks of a setting",
                          looks > d->limits.looks ? ", " : "", d->limits.runs, runs));
  return ip_text_add(d->json, "\",\n");
}

static PetscErrorCode put_everything(page_data *d, const findings *claims)
{
  const char *slash = strrchr(d->s->path, '/');

  PetscCall(ip_text_add(d->json, "{"));
  PetscCall(put_name(d, "file", slash ? slash + 1 : d->s->path));
  PetscCall(put_attribute(d, "title"));
  PetscCall(put_attribute(d, "config"));
  PetscCall(put_thinned(d));
  PetscCall(put_axes(d));
  PetscCall(put_curves(d));
  PetscCall(put_studies(d));
  PetscCall(put_all_runs(d));
  PetscCall(put_fields(d));
  PetscCall(put_claims(d, claims));
  return ip_text_add(d->json, "}");
}

PetscErrorCode report_data(const sweep *s, const findings *claims, report_limits limits,
                           ip_text *json)
{
  page_data d = {.s = s, .limits = limits, .json = json};
  PetscErrorCode code = IP_ALLOCATE(s->n_runs, &d.run);

  if (!code) code = IP_ALLOCATE(s->n_runs, &d.place);
  for (size_t r = 0; r < s->n_runs && !code; r++) d.place[r] = -1;
  if (!code) code = put_everything(&d, claims);
  ip_release(&d.run);
  ip_release(&d.place);
  return code;
}
