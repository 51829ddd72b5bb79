/* Weights of neurons of two networks: mean absolute Pearson correlation.

     E|r| = Gamma((n - 1) / 2) / (sqrt(pi) Gamma(n / 2))    of n independent Gaussians each

   Source: distribution of r under independence (Fisher, Biometrika 10 (1915) 507). */

#include "weights.h"
#include <infoplane/numerics.h>
#include <math.h>
#include <string.h>

/* Gamma((n-1)/2) / (sqrt(pi) Gamma(n/2)) is 1 at n = 2 and 2/pi at n = 3; n -> n + 2 multiplies
   it by (n - 1) / n. */
double weights_expected(size_t n)
{
  const double pi = 0x1.921fb54442d18p+1;
  double expected = n % 2 == 0 ? 1.0 : 2.0 / pi;

  if (n < 2) return (double)NAN;
  for (size_t m = n % 2 == 0 ? 2 : 3; m < n; m += 2) expected *= (double)(m - 1) / (double)m;
  return expected;
}

/* ---- reading ----------------------------------------------------------------------------- */

/* Where the weights of a group's runs stand at the end. */
typedef struct {
  const sweep *s;
  const sweep_group *g;
  size_t looked, n; /* place on the axis, and weights there */
  bool kept;
} place;

/* The last epoch of the runs, or -1, which stands for it. */
static PetscErrorCode find_looked(place *p)
{
  const size_t n = ip_results_axis(p->s->file, "looked"), start[1] = {0}, count[1] = {n};
  const double last = p->s->epoch[p->g->look[p->g->n_looks - 1]];
  double *looked = NULL;

  PetscCall(IP_ALLOCATE(n, &looked));
  const PetscErrorCode code = ip_results_block(p->s->file, "looked", 1, start, count, looked);

  for (size_t i = 0; !code && i < n; i++) {
    if (looked[i] != last && looked[i] != -1.0) continue;
    p->looked = i;
    p->kept = true;
  }
  ip_release(&looked);
  return code;
}

static PetscErrorCode read_weights(const place *p, size_t run, double weight[])
{
  const size_t start[3] = {run, p->looked, 0}, count[3] = {1, 1, p->n};

  return ip_results_block(p->s->file, "weights", 3, start, count, weight);
}

static PetscErrorCode find_place(const sweep *s, const sweep_group *g, place *p)
{
  const size_t n = ip_results_axis(s->file, "weight");

  *p = (place){.s = s, .g = g, .n = n};
  if (n == 0 || g->n == 0 || !sweep_has(s, "weights")) return PETSC_SUCCESS;
  PetscCall(find_looked(p));
  if (!p->kept) return PETSC_SUCCESS;

  double first;
  const size_t start[3] = {g->run[0], p->looked, 0}, count[3] = {1, 1, 1};

  PetscCall(ip_results_block(s->file, "weights", 3, start, count, &first));
  p->kept = !isnan(first);
  return PETSC_SUCCESS;
}

PetscErrorCode weights_kept(const sweep *s, const sweep_group *g, bool *kept)
{
  place p;

  PetscCall(find_place(s, g, &p));
  *kept = p.kept;
  return PETSC_SUCCESS;
}

/* ---- correlation ------------------------------------------------------------------------- */

/* Subtract the mean of a row and scale it to length 1; a constant row becomes zeros. */
static void standardize(size_t n, double row[])
{
  double squares = 0.0;
  const double mean = ip_sum(n, row) / (double)n;

  for (size_t i = 0; i < n; i++) {
    row[i] -= mean;
    squares += row[i] * row[i];
  }
  for (size_t i = 0; i < n; i++) row[i] = squares > 0.0 ? row[i] / sqrt(squares) : 0.0;
}

/* Mean |r| of every row of a with every row of b; shape (units, inputs), both standardized
   here. */
static double mean_correlation(size_t units, size_t inputs, double a[], double b[])
{
  double sum = 0.0;

  if (inputs < 2) return (double)NAN;
  for (size_t u = 0; u < units; u++) {
    standardize(inputs, &a[u * inputs]);
    standardize(inputs, &b[u * inputs]);
  }
  for (size_t u = 0; u < units; u++)
    for (size_t v = 0; v < units; v++) {
      double r = 0.0;

      for (size_t i = 0; i < inputs; i++) r += a[u * inputs + i] * b[v * inputs + i];
      sum += fabs(r);
    }
  return sum / (double)(units * units);
}

static PetscErrorCode compare_runs(const place *p, const double offset[], double *weight[2],
                                   double value[])
{
  for (size_t l = 0; l < p->g->layers; l++) {
    const size_t inputs = l > 0 ? (size_t)p->g->width[l - 1] : p->g->features,
                 at = (size_t)offset[l], units = (size_t)p->g->width[l];

    IP_CHECK(offset[l] >= 0.0 && at + units * inputs <= p->n, IP_ERR_DATA,
             "%s: weight_offset %g of layer %zu lies beyond the weights", p->s->path, offset[l],
             l + 1);
    value[l] = mean_correlation(units, inputs, &weight[0][at], &weight[1][at]);
  }
  return PETSC_SUCCESS;
}

PetscErrorCode weights_between(const sweep *s, const sweep_group *g, double value[])
{
  const size_t start[2] = {g->architecture, 0}, count[2] = {1, s->n_layers};
  double *weight[2] = {NULL, NULL}, *offset = NULL;
  place p;

  PetscCall(find_place(s, g, &p));
  IP_CHECK(p.kept, IP_ERR_DATA, "%s keeps no weights of run %zu", s->path,
           g->n > 0 ? g->run[0] : 0);
  PetscErrorCode code = IP_ALLOCATE(s->n_layers, &offset);

  for (int i = 0; !code && i < 2; i++) code = IP_ALLOCATE(p.n, &weight[i]);
  if (!code) code = ip_results_block(s->file, "weight_offset", 2, start, count, offset);
  for (size_t i = 0; !code && i < g->n / 2; i++) {
    code = read_weights(&p, g->run[2 * i], weight[0]);
    if (!code) code = read_weights(&p, g->run[2 * i + 1], weight[1]);
    if (!code) code = compare_runs(&p, offset, weight, &value[i * g->layers]);
  }
  ip_release(&offset);
  ip_release(&weight[1]);
  ip_release(&weight[0]);
  return code;
}

PetscErrorCode weights_excess(const sweep *s, const sweep_group *g, double value[])
{
  double *r = NULL;
  PetscErrorCode code = IP_ALLOCATE((g->n / 2) * g->layers, &r);

  if (!code) code = weights_between(s, g, r);
  for (size_t i = 0; !code && i < g->n / 2; i++) {
    double sum = 0.0, layers = 0.0;

    for (size_t l = 0; l < g->layers; l++) {
      const size_t inputs = l > 0 ? (size_t)g->width[l - 1] : g->features;
      const double over = r[i * g->layers + l] / weights_expected(inputs);

      if (isnan(over)) continue;
      sum += over - 1.0;
      layers += 1.0;
    }
    value[i] = layers > 0.0 ? sum / layers : (double)NAN;
  }
  ip_release(&r);
  return code;
}
