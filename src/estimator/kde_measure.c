/* Information from kernel sums: every column of the KDE on one layer. */

#include "kde_pairs.h"
#include <math.h>

/* What a column asks of a layer. */
typedef struct {
  double s, tolerance; /* variance of its noise; bits                 */
  size_t bound;        /* 0: from below, 1: from above                */
  ip_kde_kind kind;
} question;

/* Columns on one layer. */
typedef struct {
  const ip_layer *layer;
  ip_workspace *work;
  size_t n;
  question *column; /* shape (n)                                       */
  ip_kde_line line; /* where the samples are, if it was looked for     */
} questions;

/* ---- what is asked ---- */

/* Variance of the layer, where a column asks for it. */
static double variance_of(const ip_layer *layer, size_t n, const ip_column *const column[])
{
  for (size_t c = 0; c < n; c++)
    if (column[c]->value[IP_KDE_SCALE].word == IP_SCALE_LAYER)
      return ip_kde_layer_variance(layer);
  return (double)NAN;
}

/* The line on which the samples are, if columns may be measured along it. */
static PetscErrorCode find_line(questions *x)
{
  double r_most = -1.0;
  void *room = NULL;

  for (size_t c = 0; c < x->n; c++) {
    const double s = x->column[c].s, tolerance = x->column[c].tolerance;

    /* farther off, the error would be above half the tolerance */
    if (s > 0.0 && tolerance > 0.0) r_most = fmax(r_most, sqrt(0.2 * s * tolerance));
  }
  if (r_most < 0.0) return PETSC_SUCCESS;
  PetscCall(ip_workspace_room(x->work, IP_KDE_SLOT_LINE, x->layer->n * sizeof(double), &room));
  ip_kde_find_line(x->layer, r_most, room, &x->line);
  return PETSC_SUCCESS;
}

static PetscErrorCode read_columns(questions *x, const ip_column *const column[])
{
  const double variance = variance_of(x->layer, x->n, column);
  void *room = NULL;

  PetscCall(ip_workspace_room(x->work, IP_KDE_SLOT_COLUMN, x->n * sizeof *x->column, &room));
  x->column = room;
  for (size_t c = 0; c < x->n; c++) {
    const ip_value *value = column[c]->value;

    x->column[c] = (question){.s = ip_kde_noise_variance(column[c], variance),
                              .tolerance = value[IP_KDE_TOLERANCE].real,
                              .bound = value[IP_KDE_BOUND].word == IP_BOUND_UPPER ? 1 : 0};
  }
  PetscCall(find_line(x));
  for (size_t c = 0; c < x->n; c++) {
    question *q = &x->column[c], *before = x->column; /* of the same noise: the other bound */

    while (before < q && (before->s != q->s || before->tolerance != q->tolerance)) before++;
    q->kind =
        before < q ? before->kind : ip_kde_kind_of(x->layer, &x->line, q->s, q->tolerance);
  }
  return PETSC_SUCCESS;
}

/* The noise of a column, n_noise: not among them. */
static size_t find_noise(const ip_kde_pairs *p, const question *q)
{
  size_t i = 0;

  while (i < p->n_noise &&
         (p->noise[i].variance != q->s || p->noise[i].tolerance != q->tolerance))
    i++;
  return i;
}

/* Kernel sums of the columns of a kind: their distinct noises, in order of first use. */
static PetscErrorCode sum_kind(const questions *x, ip_kde_kind kind, ip_kde_pairs *p)
{
  void *room = NULL;

  *p = (ip_kde_pairs){.layer = x->layer, .work = x->work, .line = &x->line, .kind = kind};
  PetscCall(ip_workspace_room(x->work, IP_KDE_SLOT_NOISE, x->n * sizeof(ip_kde_noise), &room));
  p->noise = room;
  for (size_t c = 0; c < x->n; c++) {
    const question *q = &x->column[c];

    if (q->s > 0.0 && q->kind == kind && find_noise(p, q) == p->n_noise)
      p->noise[p->n_noise++] = (ip_kde_noise){.variance = q->s, .tolerance = q->tolerance};
  }
  return p->n_noise > 0 ? ip_kde_sum(p) : PETSC_SUCCESS;
}

/* ---- information from kernel sums ---- */

/* sum_i log2(own_i + other_i), each at least 1 and at most 2^31: 32 of them make one logarithm. */
static double sum_of_logs(size_t m, const double own[], const double other[])
{
  double sum = 0.0;

  for (size_t i = 0; i < m; i += 32) {
    double product = 1.0;

    for (size_t j = i; j < m && j < i + 32; j++) product *= own[j] + (other ? other[j] : 0.0);
    sum += ip_log2(product);
  }
  return sum;
}

/* M(all) and sum_y p(y) M(S_y) of certain labels. */
static void information(const ip_kde_pairs *p, size_t q, size_t bound, double *all,
                        double *within)
{
  const double n = (double)p->layer->n;
  double logs = 0.0;

  *within = 0.0;
  for (size_t g = 0; g < p->groups; g++) {
    const size_t m = p->size[g];
    const double *own = ip_kde_sums_of(p, q, bound, true) + p->begin[g],
                 *other = ip_kde_sums_of(p, q, bound, false) + p->begin[g];

    if (m == 0) continue;
    logs += sum_of_logs(m, own, other);
    *within += (double)m / n * (ip_log2((double)m) - sum_of_logs(m, own, NULL) / (double)m);
  }
  *all = ip_log2(n) - logs / n;
}

/* sum_y p(y) M_y with p(y|x): with P = sum_j p_j, p(y) M_y = 1/n (P log2 P - sum_i p_i log2
   sum_j p_j e_ij). */
static double weighed_within(const ip_kde_pairs *p, size_t q, size_t bound)
{
  const ip_layer *layer = p->layer;
  const size_t k = (size_t)layer->k;
  double within = 0.0;

  for (size_t y = 0; y < k; y++) {
    const double *sum = ip_kde_weighed_of(p, q, bound) + y * p->stride;
    double total = 0.0, logs = 0.0;

    for (size_t i = 0; i < layer->n; i++) {
      const double w = layer->p[i * k + y], s = sum[p->place[i]];

      total += w;
      if (w > 0.0 && s > 0.0) logs += w * ip_log2(s);
    }
    if (total > 0.0) within += total * ip_log2(total) - logs;
  }
  return within / (double)layer->n;
}

/* A constant layer, its noise in units of its variance: nothing to tell apart. */
static const ip_information nothing = {
    .i_ty_bias = NAN, .clipped_fraction = NAN, .bin_low = NAN, .bin_high = NAN, .h_t = NAN};

/* What a column says, if its noise is among these. */
static void answer(const ip_kde_pairs *p, const question *q, ip_information *out)
{
  const size_t noise = find_noise(p, q);
  double within;

  if (noise == p->n_noise) return;
  information(p, noise, q->bound, &out->i_xt, &within);
  if (p->layer->p) within = weighed_within(p, noise, q->bound);
  out->i_ty = out->i_xt - within;
  out->h_t = ip_kde_entropy(out->i_xt, p->layer->d, q->s);
  out->error_bound = (float)(p->kind == IP_KDE_LINE ? ip_kde_line_error(p->layer, p->line, q->s)
                                                    : p->noise[noise].left_out +
                                                          ip_kde_arithmetic_error(p->layer));
}

/* Columns of two kinds know nothing of each other, so that each is what it is alone. */
PetscErrorCode ip_kde_measure(const ip_layer *layer, size_t n, const ip_column *const column[],
                              ip_workspace *work, ip_information out[])
{
  questions x = {.layer = layer, .work = work, .n = n};
  ip_kde_pairs p;

  PetscCall(read_columns(&x, column));
  for (size_t c = 0; c < n; c++) out[c] = nothing;
  for (ip_kde_kind kind = IP_KDE_ALL_PAIRS; kind < IP_KDE_KINDS; kind++) {
    PetscCall(sum_kind(&x, kind, &p));
    for (size_t c = 0; c < n; c++) answer(&p, &x.column[c], &out[c]);
  }
  return PETSC_SUCCESS;
}

/* A line is not worth sharing. */
PetscErrorCode ip_kde_assist(const ip_layer *layer, size_t n, const ip_column *const column[],
                             ip_workspace *work)
{
  questions x = {.layer = layer, .work = work, .n = n};
  ip_kde_pairs p;

  PetscCall(read_columns(&x, column));
  for (ip_kde_kind kind = IP_KDE_ALL_PAIRS; kind < IP_KDE_LINE; kind++)
    PetscCall(sum_kind(&x, kind, &p));
  return PETSC_SUCCESS;
}
