/* The table at the end: where each layer began, how high it rose, where it ended. */

#include "cli.h"
#include <math.h>
#include <string.h>

enum { MOST_GROUPS = 6 };

/* Runs that differ in their replicate alone, and the curves of one column. */
typedef struct {
  const ip_plan *plan;
  const ip_results *file;
  size_t first; /* a run of the group              */
  int32_t column;
  size_t n;     /* finished replicates             */
  size_t *run;  /* shape (n)                       */
  double *i_xt; /* shape (n, epochs, layers), bits */
  double *i_ty;
} group;

/* ---- reading --------------------------------------------------------------------------------------- */

static bool same_group(const ip_plan *plan, size_t a, size_t b)
{
  return memcmp(plan->run[a].value, plan->run[b].value, sizeof plan->run[a].value) == 0;
}

static PetscErrorCode read_curves(group *g)
{
  const ip_plan *plan = g->plan;
  const size_t cells = plan->n_epochs * plan->n_layers,
               count[4] = {1, 1, plan->n_epochs, plan->n_layers};

  PetscCall(IP_ALLOCATE(g->n * cells, &g->i_xt));
  PetscCall(IP_ALLOCATE(g->n * cells, &g->i_ty));
  for (size_t i = 0; i < g->n; i++) {
    const size_t start[4] = {g->run[i], (size_t)g->column, 0, 0};

    PetscCall(ip_results_block(g->file, "i_xt", 4, start, count, g->i_xt + i * cells));
    PetscCall(ip_results_block(g->file, "i_ty", 4, start, count, g->i_ty + i * cells));
  }
  return PETSC_SUCCESS;
}

static PetscErrorCode fill(group *g)
{
  const size_t parts = g->plan->parts, runs = g->plan->n_runs / parts;

  PetscCall(IP_ALLOCATE(runs, &g->run));
  for (size_t r = g->first; r < runs; r++) {
    const size_t start[2] = {r, parts - 1}, one[2] = {1, 1};
    double status;

    if (!same_group(g->plan, g->first, r)) continue;
    PetscCall(ip_results_block(g->file, "status", 2, start, one, &status));
    if ((int)status == IP_STATUS_DONE) g->run[g->n++] = r;
  }
  return read_curves(g);
}

static void clear(group *g)
{
  ip_release(&g->run);
  ip_release(&g->i_xt);
  ip_release(&g->i_ty);
}

/* ---- numbers --------------------------------------------------------------------------------------- */

typedef struct {
  double mean, deviation; /* over replicates; population of one: 0 */
} spread;

static double at(const group *g, const double curve[], size_t i, int32_t e, size_t layer)
{
  return curve[(i * g->plan->n_epochs + (size_t)e) * g->plan->n_layers + layer];
}

/* Mean and standard deviation over replicates of curve at e, less its value at f (-1: nothing). */
static spread over_replicates(const group *g, const double curve[], int32_t e, int32_t f,
                              size_t layer)
{
  double sum = 0.0, squares = 0.0;

  for (size_t i = 0; i < g->n; i++)
    sum += at(g, curve, i, e, layer) - (f < 0 ? 0.0 : at(g, curve, i, f, layer));

  const double mean = sum / (double)g->n;

  for (size_t i = 0; i < g->n; i++) {
    const double v =
        at(g, curve, i, e, layer) - (f < 0 ? 0.0 : at(g, curve, i, f, layer)) - mean;

    squares += v * v;
  }
  return (spread){mean, g->n > 1 ? sqrt(squares / (double)(g->n - 1)) : 0.0};
}

/* Look at which the mean curve is highest. */
static int32_t peak_of(const group *g, const ip_measure *m, size_t layer)
{
  int32_t best = m->look[0];

  for (size_t l = 1; l < m->n_looks; l++)
    if (over_replicates(g, g->i_xt, m->look[l], -1, layer).mean >
        over_replicates(g, g->i_xt, best, -1, layer).mean)
      best = m->look[l];
  return best;
}

/* ---- printing -------------------------------------------------------------------------------------- */

/* "5.76+-1.28"; one replicate has no spread. */
static const char *format_spread(const group *g, spread v, char text[32])
{
  if (g->n > 1)
    snprintf(text, 32, "%5.2f+-%4.2f", v.mean, v.deviation);
  else
    snprintf(text, 32, "%5.2f      ", v.mean);
  return text;
}

static void print_layer(FILE *to, const group *g, size_t layer)
{
  const ip_run *run = &g->plan->run[g->first];
  const ip_measure *m = &g->plan->measure[run->measure];
  const int32_t start = m->look[0], end = m->look[m->n_looks - 1], peak = peak_of(g, m, layer);
  const spread fall = over_replicates(g, g->i_xt, peak, end, layer);
  const double error = fall.deviation / sqrt((double)g->n);
  char text[32], epoch[16];

  snprintf(epoch, sizeof epoch, "(%d)", (int)g->plan->epoch[peak]);
  fprintf(to, " %5zu %5d ", layer + 1,
          (int)g->plan->architecture[run->architecture].width[layer + 1]);
  fprintf(to, " %s", format_spread(g, over_replicates(g, g->i_xt, start, -1, layer), text));
  fprintf(to, "  %s", format_spread(g, over_replicates(g, g->i_xt, peak, -1, layer), text));
  fprintf(to, " %-7s", epoch);
  fprintf(to, " %s ", format_spread(g, over_replicates(g, g->i_xt, end, -1, layer), text));
  fprintf(to, "  %s", format_spread(g, over_replicates(g, g->i_ty, start, -1, layer), text));
  fprintf(to, "  %s", format_spread(g, over_replicates(g, g->i_ty, end, -1, layer), text));
  if (g->n > 1 && fall.mean >= 0.25 && fall.mean > 2.0 * error)
    fprintf(to, "  <- compressed by %.1f+-%.1f", fall.mean, error);
  fputc('\n', to);
}

/* What tells this group from the others. */
static PetscErrorCode print_title(FILE *to, const group *g)
{
  const ip_plan *plan = g->plan;
  const ip_run *run = &plan->run[g->first];
  ip_text text = {0};
  PetscErrorCode code = PETSC_SUCCESS;

  for (size_t key = 0; key < IP_KEYS && !code; key++) {
    bool differs = false;

    for (size_t r = 0; r < plan->n_runs && !differs; r++)
      differs = plan->run[r].value[key] != run->value[key] &&
                !ip_value_equal(ip_option_row(key), plan->run[r].value[key], run->value[key]);
    if (!differs || !run->value[key]) continue;
    code = ip_text_add(&text, " %s=", ip_option_row(key)->key);
    if (!code) code = ip_value_format(ip_option_row(key), run->value[key], &text);
  }
  if (!code && text.text) fprintf(to, "%s\n", text.text);
  ip_text_clear(&text);
  return code;
}

static PetscErrorCode print_group(FILE *to, const group *g)
{
  const ip_plan *plan = g->plan;
  const ip_architecture *a = &plan->architecture[plan->run[g->first].architecture];

  PetscCall(print_title(to, g));
  if (g->n == 0) {
    fputs("   no run of this kind has finished\n", to);
    return PETSC_SUCCESS;
  }
  fprintf(to, "              I(X;T), bit                                 I(T;Y), bit\n");
  fprintf(to, " layer width  start        peak (epoch)        end          start        end");
  if (g->n > 1)
    fprintf(to, "          %s, mean+-s.d. of %zu\n", plan->column[g->column].name, g->n);
  else
    fprintf(to, "          %s, one run\n", plan->column[g->column].name);
  for (size_t layer = 0; layer < a->layers; layer++) print_layer(to, g, layer);
  return PETSC_SUCCESS;
}

static PetscErrorCode summarize(FILE *to, const ip_plan *plan, const ip_results *file,
                                size_t run)
{
  const ip_measure *m = &plan->measure[plan->run[run].measure];
  group g = {.plan = plan, .file = file, .first = run};

  if (m->n_columns == 0) return PETSC_SUCCESS;
  g.column = m->column[0];

  PetscErrorCode code = fill(&g);

  if (code == PETSC_SUCCESS) code = print_group(to, &g);
  clear(&g);
  return code;
}

PetscErrorCode summary_print(FILE *to, const ip_plan *plan, const char *path)
{
  ip_results *file = NULL;
  PetscErrorCode code = PETSC_SUCCESS;
  size_t groups = 0;

  PetscCall(ip_results_open(path, &file));
  for (size_t r = 0; r < plan->n_runs / plan->parts && code == PETSC_SUCCESS; r++) {
    if (plan->run[r].replicate > 0) break; /* replicates follow all points */
    if (groups++ < MOST_GROUPS) code = summarize(to, plan, file, r);
  }
  ip_results_close(&file);
  if (groups > MOST_GROUPS)
    fprintf(to, " ... and %zu more groups of runs: all are in %s\n", groups - MOST_GROUPS,
            path);
  return code;
}
