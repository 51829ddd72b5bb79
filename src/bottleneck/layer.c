/* The beta at which a layer is nearest to satisfying the equations of the bottleneck.

   T is a function of x, so p(t|x) is 1 for its cell t(x), and with d(x,t) = D_KL[p(y|x) || p(y|t)]

     D(beta) = mean_x D_KL[p(t|x) || p_beta(t|x)]
             = H(T) + beta A + mean_x log2 Z(x, beta),    Z(x, beta) = sum_t p(t) exp(-beta d(x,t)),
     D'(beta) = A - mean_x sum_t p_beta(t|x) d(x,t),      A = mean_x d(x,t(x)) = I(X;Y) - I(T;Y),

   and D'' is the mean variance of d under p_beta: convex.  Z depends on x through p(y|x) and on t
   through p(y|t), so both are numbered by what differs in any bit.  Newton's iteration finds where
   D' vanishes, held inside a bracket, and from the ends of [1, 1000] where D is 0.01 bit above:
   there it cannot overshoot. */

#include "joint.h"
#include <infoplane/numerics.h>
#include <math.h>
#include <string.h>

#define LN2 0x1.62e42fefa39efp-1

static const double flat = 1e-12, /* bits: a slope that over [1, 1000] moves D by nothing */
    tolerance = 0.01,             /* bits above the minimum                               */
    precise = 1e-12;              /* of beta, relative                                    */

enum { MOST_STEPS = 200 };

/* The layer, grouped. */
typedef struct {
  size_t k, n_rows, n_cells; /* different p(y|x), different p(y|t)         */
  double *of_row;            /* shape (n_rows): p(x), summed               */
  double *p;                 /* shape (n_rows, k): p(y|x)                  */
  double *own;               /* shape (n_rows): sum_y p(y|x) ln p(y|x)     */
  double *log_cell;          /* shape (n_cells): ln p(t), summed           */
  double *log_r;             /* shape (n_cells, k): ln p(y|t)              */
  double *d, *share;         /* shape (n_cells): for one row               */
  double entropy, lost;      /* H(T), A, bits                              */
} layer;

/* D and its two derivatives at one beta. */
typedef struct {
  double beta, value, slope, bend;
} sample;

/* ---- grouping ---- */

/* What is made of the patterns on the way. */
typedef struct {
  uint32_t *row;   /* shape (n): number of p(y|x)              */
  uint32_t *group; /* shape (n_cells): number of p(y|t)        */
  double *mass;    /* shape (n_cells): p(t)                    */
  double *r;       /* shape (n_cells, k): p(t,y), then p(y|t)  */
  double *lost;    /* shape (n): terms of A                    */
} draft;

/* p(t) and p(y|t) of every cell. */
static PetscErrorCode fill_cells(const ip_joint *joint, size_t n_cells, const uint32_t cell[],
                                 draft *made)
{
  const size_t k = (size_t)joint->k;

  for (size_t x = 0; x < joint->n; x++) {
    IP_CHECK(cell[x] < n_cells, IP_ERR_INTERNAL, "pattern %zu lies in cell %u of %zu", x,
             cell[x], n_cells);
    made->mass[cell[x]] += joint->weight[x];
    for (size_t y = 0; y < k; y++)
      made->r[cell[x] * k + y] += joint->weight[x] * joint->p[x * k + y];
  }
  for (size_t t = 0; t < n_cells; t++) {
    IP_CHECK(made->mass[t] > 0.0, IP_ERR_INTERNAL, "cell %zu of %zu is empty", t, n_cells);
    for (size_t y = 0; y < k; y++) made->r[t * k + y] /= made->mass[t];
  }
  return PETSC_SUCCESS;
}

/* sum_y p ln p. */
static double self_likelihood(size_t k, const double p[])
{
  double sum = 0.0;

  for (size_t y = 0; y < k; y++)
    if (p[y] > 0.0) sum += p[y] * ip_log(p[y]);
  return sum;
}

/* D_KL[p(y|x) || p(y|t)] in nats; infinite where p(y|t) lacks a class. */
static double divergence(const layer *l, size_t row, size_t group)
{
  const double *p = l->p + row * l->k, *log_r = l->log_r + group * l->k;
  double sum = l->own[row];

  for (size_t y = 0; y < l->k; y++)
    if (p[y] > 0.0) sum -= p[y] * log_r[y];
  return fmax(sum, 0.0);
}

static void fill_layer(const ip_joint *joint, size_t n_cells, const uint32_t cell[],
                       const draft *made, layer *l)
{
  const size_t k = l->k;

  for (size_t t = 0; t < n_cells; t++) {
    l->log_cell[made->group[t]] += made->mass[t];
    for (size_t y = 0; y < k; y++)
      l->log_r[made->group[t] * k + y] = ip_log(made->r[t * k + y]);
  }
  for (size_t t = 0; t < l->n_cells; t++) l->log_cell[t] = ip_log(l->log_cell[t]);
  for (size_t x = 0; x < joint->n; x++) {
    const size_t row = made->row[x];

    l->of_row[row] += joint->weight[x];
    memcpy(l->p + row * k, joint->p + x * k, k * sizeof *l->p);
    l->own[row] = self_likelihood(k, joint->p + x * k);
  }
  l->entropy = ip_entropy_weights(n_cells, made->mass);
  for (size_t x = 0; x < joint->n; x++)
    made->lost[x] = joint->weight[x] * divergence(l, made->row[x], made->group[cell[x]]);
  l->lost = ip_sum(joint->n, made->lost) / LN2;
}

static PetscErrorCode group(const ip_joint *joint, size_t n_cells, const uint32_t cell[],
                            draft *made, layer *l)
{
  const size_t k = (size_t)joint->k;

  PetscCall(IP_ALLOCATE(joint->n, &made->row));
  PetscCall(IP_ALLOCATE(n_cells, &made->group));
  PetscCall(IP_ALLOCATE(n_cells, &made->mass));
  PetscCall(IP_ALLOCATE(n_cells * k, &made->r));
  PetscCall(IP_ALLOCATE(joint->n, &made->lost));
  PetscCall(fill_cells(joint, n_cells, cell, made));
  l->k = k;
  PetscCall(ip_rows_number(joint->n, k, joint->p, made->row, &l->n_rows));
  PetscCall(ip_rows_number(n_cells, k, made->r, made->group, &l->n_cells));
  PetscCall(IP_ALLOCATE(l->n_rows, &l->of_row));
  PetscCall(IP_ALLOCATE(l->n_rows * k, &l->p));
  PetscCall(IP_ALLOCATE(l->n_rows, &l->own));
  PetscCall(IP_ALLOCATE(l->n_cells, &l->log_cell));
  PetscCall(IP_ALLOCATE(l->n_cells * k, &l->log_r));
  PetscCall(IP_ALLOCATE(l->n_cells, &l->d));
  PetscCall(IP_ALLOCATE(l->n_cells, &l->share));
  fill_layer(joint, n_cells, cell, made, l);
  return PETSC_SUCCESS;
}

static void release(draft *made, layer *l)
{
  ip_release(&made->row);
  ip_release(&made->group);
  ip_release(&made->mass);
  ip_release(&made->r);
  ip_release(&made->lost);
  ip_release(&l->of_row);
  ip_release(&l->p);
  ip_release(&l->own);
  ip_release(&l->log_cell);
  ip_release(&l->log_r);
  ip_release(&l->d);
  ip_release(&l->share);
}

/* ---- the mean divergence ---- */

/* Add what one row gives to D. */
static void add_row(const layer *l, size_t row, sample *s)
{
  double most = -INFINITY, sum = 0.0, mean = 0.0, square = 0.0;

  for (size_t t = 0; t < l->n_cells; t++) {
    l->d[t] = divergence(l, row, t);
    l->share[t] = l->log_cell[t] - s->beta * l->d[t];
    most = fmax(most, l->share[t]);
  }
  for (size_t t = 0; t < l->n_cells; t++) {
    if (isinf(l->d[t])) continue;

    const double share = ip_exp(l->share[t] - most);

    sum += share;
    mean += share * l->d[t];
    square += share * l->d[t] * l->d[t];
  }
  mean /= sum;
  s->value += l->of_row[row] * (most + ip_log(sum)) / LN2;
  s->slope -= l->of_row[row] * mean / LN2;
  s->bend += l->of_row[row] * fmax(square / sum - mean * mean, 0.0) / LN2;
}

static sample at(const layer *l, double beta)
{
  sample s = {.beta = beta, .value = l->entropy + beta * l->lost, .slope = l->lost};

  for (size_t row = 0; row < l->n_rows; row++) add_row(l, row, &s);
  return s;
}

/* Where D' vanishes, between two betas of slopes below and above 0. */
static sample bottom(const layer *l, double low, double high)
{
  sample s = at(l, sqrt(low * high));

  for (int step = 0; step < MOST_STEPS && high - low > precise * low; step++) {
    if (s.slope < 0.0)
      low = s.beta;
    else
      high = s.beta;

    double next = s.beta - s.slope / s.bend;

    if (fabs(next - s.beta) <= precise * s.beta) break;
    if (!(low < next && next < high)) next = sqrt(low * high);
    s = at(l, next);
  }
  return s;
}

/* Where D falls to `value`, seen from an end of the range: Newton from outside a convex function
   stays outside. */
static double crossing(const layer *l, double from, double value)
{
  sample s = at(l, from);

  for (int step = 0; step < MOST_STEPS && s.value > value; step++) {
    const double next = s.beta - (s.value - value) / s.slope;

    if (fabs(next - s.beta) <= precise * s.beta) break;
    s = at(l, next);
  }
  return s.beta;
}

static void search(const layer *l, ip_best_beta *beta)
{
  const sample first = at(l, IP_BETA_LOWEST), last = at(l, IP_BETA_HIGHEST);
  sample best;

  beta->edge = IP_EDGE_NONE;
  if (first.slope >= -flat) {
    best = first;
    beta->edge = IP_EDGE_LOW;
  } else if (last.slope <= flat) {
    best = last;
    beta->edge = IP_EDGE_HIGH;
  } else
    best = bottom(l, IP_BETA_LOWEST, IP_BETA_HIGHEST);
  beta->best = best.beta;
  beta->misfit = fmax(best.value, 0.0);
  beta->low = crossing(l, IP_BETA_LOWEST, best.value + tolerance);
  beta->high = crossing(l, IP_BETA_HIGHEST, best.value + tolerance);
}

PetscErrorCode ip_bottleneck_layer(const ip_joint *joint, size_t n_cells, const uint32_t cell[],
                                   ip_best_beta *beta)
{
  draft made = {0};
  layer l = {0};

  PetscCall(ip_joint_check(joint));
  IP_CHECK(1 <= n_cells && n_cells <= joint->n, IP_ERR_INTERNAL, "%zu cells of %zu patterns",
           n_cells, joint->n);

  const PetscErrorCode code = group(joint, n_cells, cell, &made, &l);

  if (!code) search(&l, beta);
  release(&made, &l);
  return code;
}
