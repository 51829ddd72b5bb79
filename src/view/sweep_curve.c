/* A results file: finding things in it, and curves read when they are needed. */

#include "sweep.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- finding ------------------------------------------------------------------------------------------- */

int sweep_column(const sweep *s, const char *name)
{
  for (size_t c = 0; c < s->n_columns; c++)
    if (strcmp(s->column[c], name) == 0) return (int)c;
  return SWEEP_NONE;
}

int sweep_key_find(const sweep *s, const char *name)
{
  for (size_t k = 0; k < s->n_keys; k++)
    if (strcmp(s->key[k].name, name) == 0) return (int)k;
  return SWEEP_NONE;
}

int sweep_main_column(const sweep *s)
{
  const int usual = sweep_column(s, "bin30");

  if (usual >= 0 || s->n_columns == 0) return usual;
  for (size_t c = 0; c < s->n_columns; c++)
    if (strcmp(s->column_kind[c], "binning") == 0 && strcmp(s->column_on[c], "full") == 0)
      return (int)c;
  return 0;
}

bool sweep_has(const sweep *s, const char *field)
{
  size_t n_axes, length[IP_RESULTS_RANK];

  return ip_results_shape(s->file, field, &n_axes, length);
}

size_t sweep_pairs(const sweep_group *g, const sweep_group *h, size_t a[], size_t b[])
{
  size_t n = 0;

  for (size_t i = 0, j = 0; i < g->n && j < h->n;) {
    const bool equal = g->seed[i] == h->seed[j] && g->replicate[i] == h->replicate[j],
               before = g->seed[i] < h->seed[j] ||
                        (g->seed[i] == h->seed[j] && g->replicate[i] < h->replicate[j]);

    if (equal) a[n] = i, b[n++] = j;
    i += equal || before;
    j += equal || !before;
  }
  return n;
}

size_t sweep_look_near(const sweep *s, const sweep_group *g, int32_t epoch)
{
  size_t best = 0;

  for (size_t l = 1; l < g->n_looks; l++)
    if (llabs((long long)s->epoch[g->look[l]] - epoch) <
        llabs((long long)s->epoch[g->look[best]] - epoch))
      best = l;
  return best;
}

double sweep_updates_at(const sweep *s, const sweep_group *g, double epoch)
{
  for (size_t l = 0; l < g->n_looks; l++)
    if ((double)s->epoch[g->look[l]] == epoch) return g->updates[l];
  return (double)NAN;
}

/* ---- curves --------------------------------------------------------------------------------------------- */

/* Cells of one run: those along `epoch` from e on, n of them, of one column where the field has
   columns.  Axes are (run[, column][, epoch][, layer ...]). */
static PetscErrorCode read_block(const sweep *s, const char *field, const size_t at[3],
                                 size_t n, double value[])
{
  const size_t run = at[0], column = at[1], e = at[2];
  size_t n_axes = 0, length[IP_RESULTS_RANK] = {0}, start[IP_RESULTS_RANK] = {run},
         count[IP_RESULTS_RANK] = {1};

  IP_CHECK(ip_results_shape(s->file, field, &n_axes, length) && n_axes >= 2, IP_ERR_DATA,
           "%s has no variable %s along run and epoch", s->path, field);
  for (size_t a = 1; a < n_axes; a++) count[a] = length[a];
  if (n_axes == 4) start[1] = column, count[1] = 1;

  const size_t epochs = n_axes == 4 ? 2 : 1;

  start[epochs] = e;
  count[epochs] = n;
  return ip_results_block(s->file, field, n_axes, start, count, value);
}

PetscErrorCode sweep_curve(const sweep *s, const char *field, size_t run, size_t column,
                           double value[])
{
  return read_block(s, field, (const size_t[3]){run, column, 0}, s->n_epochs, value);
}

PetscErrorCode sweep_at(const sweep *s, const char *field, size_t run, size_t column, int32_t e,
                        double value[])
{
  return read_block(s, field, (const size_t[3]){run, column, (size_t)e}, 1, value);
}

PetscErrorCode sweep_cells(const sweep *s, const char *field, size_t run, double value[])
{
  size_t n_axes = 0, length[IP_RESULTS_RANK] = {0}, start[IP_RESULTS_RANK] = {run},
         count[IP_RESULTS_RANK] = {1};

  IP_CHECK(ip_results_shape(s->file, field, &n_axes, length), IP_ERR_DATA,
           "%s has no variable %s", s->path, field);
  for (size_t a = 1; a < n_axes; a++) count[a] = length[a];
  return ip_results_block(s->file, field, n_axes, start, count, value);
}

PetscErrorCode sweep_mean(const sweep *s, const sweep_group *g, const char *field,
                          size_t column, double mean[], double deviation[])
{
  size_t n_axes = 0, length[IP_RESULTS_RANK] = {0};
  double *value = NULL;
  PetscErrorCode code = PETSC_SUCCESS;

  IP_CHECK(ip_results_shape(s->file, field, &n_axes, length), IP_ERR_DATA,
           "%s has no variable %s", s->path, field);

  const size_t cells = s->n_epochs * (n_axes >= 3 ? s->n_layers : 1);

  PetscCall(IP_ALLOCATE(cells, &value));
  for (size_t i = 0; i < cells; i++) mean[i] = deviation[i] = g->n > 0 ? 0.0 : (double)NAN;
  for (size_t r = 0; r < g->n && code == PETSC_SUCCESS; r++) {
    code = sweep_curve(s, field, g->run[r], column, value);
    for (size_t i = 0; i < cells && code == PETSC_SUCCESS; i++) {
      const double step = value[i] - mean[i]; /* Welford 1962: one pass, no cancellation */

      mean[i] += step / (double)(r + 1);
      deviation[i] += step * (value[i] - mean[i]);
    }
  }
  for (size_t i = 0; i < cells; i++)
    deviation[i] = g->n > 1 ? sqrt(deviation[i] / (double)(g->n - 1)) : 0.0 * mean[i];
  ip_release(&value);
  return code;
}
