/* Bounds from pairwise distances.

   Give every activation t_i Gaussian noise of variance s, so that T has a density.  For a set S
   of m samples let

     M(S) = -1/m sum_i log2( 1/m sum_j exp(-|t_i - t_j|^2 / (c s)) ),    i, j in S.

   Then M(all) bounds I(X;T): from above with c = 2, from below with c = 8, and I(T;Y) is
   estimated by M(all) - sum_y p(y) M(samples of class y): a difference of two bounds, hence
   itself no bound.  With p(y|x): M_y = -sum_i w_i log2 sum_j w_j exp(-D_ij / (c s)), w_i =
   p(y|x_i) / sum_j p(y|x_j), and p(y) = 1/n sum_i p(y|x_i).

   Samples are copied in order of their classes, each class from a multiple of 16 on, so that a
   block of pairs lies within one class or between two, and the sums of a class come out of the
   same pass as those of all.  A block adds up by itself, in single precision; the sums of blocks
   are added in double and in fixed order, whoever of a crew made them.

   Source: Kolchinsky and Tracey, Entropy 19 (2017) 361; used for the information plane by Saxe
   et al., J. Stat. Mech. (2019) 124020. */

#include "kde.h"
#include "kernels.h"
#include <math.h>
#include <string.h>

/* ---- what the user may set ---- */

static const char *scale_name(size_t i)
{
  static const char *const name[] = {"absolute", "layer"};

  return i < 2 ? name[i] : NULL;
}

static const char *bound_name(size_t i)
{
  static const char *const name[] = {"upper", "lower"};

  return i < 2 ? name[i] : NULL;
}

static const ip_parameter parameter[] = {
    {
     .key = "noise_variance",
     .type = IP_REAL,
     .scope = IP_SCOPE_MEASURE,
     .unit = "1",
     .low = 1e-12,
     .high = 1e12,
     .initial = "1e-3",
     .coordinate = "column_noise_variance",
     .sentence = "variance of the Gaussian noise added to T",
     .reference = "Saxe et al., J. Stat. Mech. (2019) 124020: 1e-3 and 0.1",
     },
    {
     .key = "noise_scale",
     .type = IP_CHOICE,
     .scope = IP_SCOPE_MEASURE,
     .unit = "1",
     .choice = scale_name,
     .initial = "absolute",
     .coordinate = "column_noise_scale",
     .sentence = "layer: the noise variance is in units of the mean over the units of the "
                    "population variance of the layer at this look", .reference = NULL,
     },
    {
     .key = "bound",
     .type = IP_CHOICE,
     .scope = IP_SCOPE_MEASURE,
     .unit = "1",
     .choice = bound_name,
     .initial = "[upper, lower]",
     .coordinate = "column_bound",
     .sentence = "bound of I(X;T) from above (c = 2) or from below (c = 8)",
     .reference = "Kolchinsky and Tracey, Entropy 19 (2017) 361",
     },
    {.key = NULL        },
};

static PetscErrorCode name_column(const ip_column *column, ip_text *name)
{
  const ip_value *value = column->value;
  char variance[32];

  ip_real_format(value[IP_KDE_VARIANCE].real, variance);
  return ip_text_add(name, "kde_%s_%s%s", bound_name((size_t)value[IP_KDE_BOUND].word),
                     variance, value[IP_KDE_SCALE].word == IP_SCALE_LAYER ? "_layer" : "");
}

/* All combinations are possible. */
static PetscErrorCode check_column(const ip_column *column, const char *unbounded)
{
  (void)column, (void)unbounded;
  return PETSC_SUCCESS;
}

static bool needs_run_range(const ip_column *column)
{
  (void)column;
  return false;
}

/* Both bounds of one noise variance cost one. */
static double cost(size_t n, size_t d, size_t n_columns)
{
  const double noises = n_columns > 1 ? (double)n_columns / 2.0 : 1.0;

  return (double)n * (double)n * ((double)d + 8.0) / 2.0 * noises;
}

/* ---- the noise ---- */

double ip_kde_noise(const ip_column *column, double layer_variance)
{
  const ip_value *value = column->value;

  return value[IP_KDE_VARIANCE].real *
         (value[IP_KDE_SCALE].word == IP_SCALE_LAYER ? layer_variance : 1.0);
}

double ip_kde_layer_variance(const ip_layer *layer)
{
  const double n = (double)layer->n;
  double sum = 0.0;

  for (size_t u = 0; u < layer->d; u++) {
    const float *t = layer->t + u * layer->stride;
    double mean = 0.0, squares = 0.0;

    /* About the first value: a constant unit has variance 0 exactly. */
    for (size_t i = 0; i < layer->n; i++) mean += (double)t[i] - (double)t[0];
    mean /= n;
    for (size_t i = 0; i < layer->n; i++) {
      const double gap = (double)t[i] - (double)t[0] - mean;

      squares += gap * gap;
    }
    sum += squares / n;
  }
  return sum / (double)layer->d;
}

double ip_kde_entropy(double i_xt, size_t d, double s)
{
  const double two_pi_e = 17.079468445347134;

  return i_xt + (double)d / 2.0 * ip_log2(two_pi_e * s);
}

/* ---- samples in order of their classes ---- */

enum {
  SLOT_PLACE,
  SLOT_T,
  SLOT_NOISE,
  SLOT_SUM,
  SLOT_DISTANCE,
  SLOT_WEIGHT,
  SLOT_WEIGHED,
  SLOT_SLAB,
  SLOT_BLOCK,
  SLOT_BLOCK_COST,
  SLOT_BLOCK_SUM
};

/* Samples of one group that make a side of blocks. */
typedef struct {
  size_t begin, size, group;
} slab;

typedef struct {
  const ip_layer *layer;
  ip_workspace *work;
  size_t groups;   /* classes, or one where p is given                   */
  size_t *begin;   /* shape (groups): first place, a multiple of 16      */
  size_t *size;    /* shape (groups): samples                            */
  size_t *place;   /* shape (n): where a sample stands                   */
  size_t slabs;    /*                                                    */
  slab *slab;      /* shape (slabs)                                      */
  size_t stride;   /*                                                    */
  float *t;        /* shape (d, stride)                                  */
  double scale;    /* t here is scale times the layer's, a power of two  */
  size_t n_noise;  /* distinct noise variances                           */
  double *noise;   /* shape (n_noise)                                    */
  double *sum;     /* shape (n_noise, 2 bounds, own or other, stride)    */
  float *distance; /* room of the kernel                                 */
  float *weight;   /* shape (k, stride): p(y|x), where given             */
  double *weighed; /* shape (n_noise, 2 bounds, k, stride)               */
} pairs;

static double *sums_of(const pairs *p, size_t noise, size_t bound, bool own)
{
  return p->sum + ((noise * 2 + bound) * 2 + (own ? 0 : 1)) * p->stride;
}

static double *weighed_of(const pairs *p, size_t noise, size_t bound)
{
  return p->weighed + (noise * 2 + bound) * (size_t)p->layer->k * p->stride;
}

/* Every group from its beginning in sides of blocks, the last one smaller. */
static PetscErrorCode cut_slabs(pairs *p)
{
  void *room = NULL;

  PetscCall(ip_workspace_room(
      p->work, SLOT_SLAB, (p->layer->n / IP_KDE_BLOCK + p->groups) * sizeof *p->slab, &room));
  p->slab = room;
  for (size_t g = 0; g < p->groups; g++)
    for (size_t at = 0; at < p->size[g]; at += IP_KDE_BLOCK)
      p->slab[p->slabs++] =
          (slab){.begin = p->begin[g] + at,
                 .size = p->size[g] - at < IP_KDE_BLOCK ? p->size[g] - at : IP_KDE_BLOCK,
                 .group = g};
  return PETSC_SUCCESS;
}

static PetscErrorCode find_places(pairs *p)
{
  const ip_layer *layer = p->layer;
  void *room = NULL;
  size_t next = 0;

  p->groups = layer->p ? 1 : (size_t)layer->k;
  PetscCall(ip_workspace_room(p->work, SLOT_PLACE, (layer->n + 2 * p->groups) * sizeof(size_t),
                              &room));
  p->place = room;
  p->begin = p->place + layer->n;
  p->size = p->begin + p->groups;
  memset(p->begin, 0, 2 * p->groups * sizeof(size_t));
  for (size_t i = 0; i < layer->n; i++) p->place[i] = p->size[layer->p ? 0 : layer->y[i]]++;
  for (size_t g = 0; g < p->groups; g++) {
    p->begin[g] = next;
    next += (p->size[g] + 15) / 16 * 16;
  }
  for (size_t i = 0; i < layer->n; i++) p->place[i] += p->begin[layer->p ? 0 : layer->y[i]];
  /* Rows of a multiple of a page would meet in the same lines of the cache. */
  p->stride = next % 256 == 0 ? next + 16 : next;
  return cut_slabs(p);
}

/* The power of two that brings the largest activation into [1/2, 1): exact, and no square
   overflows. */
static double scale_of(const ip_layer *layer)
{
  float largest = 0.0F;
  int exponent = 0;

  for (size_t u = 0; u < layer->d; u++)
    for (size_t i = 0; i < layer->n; i++)
      largest = fmaxf(largest, fabsf(layer->t[u * layer->stride + i]));
  (void)frexpf(largest, &exponent);
  return ldexp(1.0, -exponent);
}

static PetscErrorCode copy_samples(pairs *p)
{
  const ip_layer *layer = p->layer;
  size_t bytes;
  void *room = NULL;

  IP_CHECK(!__builtin_mul_overflow(layer->d, p->stride * sizeof(float), &bytes),
           IP_ERR_INTERNAL, "no memory for %zu units of %zu samples", layer->d, layer->n);
  PetscCall(ip_workspace_room(p->work, SLOT_T, bytes, &room));
  p->t = room;
  memset(room, 0, bytes);
  p->scale = scale_of(layer);
  for (size_t u = 0; u < layer->d; u++) {
    const float *from = layer->t + u * layer->stride;
    float *to = p->t + u * p->stride;

    for (size_t i = 0; i < layer->n; i++) to[p->place[i]] = (float)((double)from[i] * p->scale);
  }
  return PETSC_SUCCESS;
}

static PetscErrorCode copy_weights(pairs *p)
{
  const size_t k = (size_t)p->layer->k, n = p->layer->n,
               weighed = p->n_noise * 2 * k * p->stride * sizeof(double);
  void *room[2] = {NULL};

  PetscCall(ip_workspace_room(p->work, SLOT_WEIGHT, k * p->stride * sizeof(float), &room[0]));
  PetscCall(ip_workspace_room(p->work, SLOT_WEIGHED, weighed, &room[1]));
  p->weight = room[0];
  p->weighed = room[1];
  memset(p->weight, 0, k * p->stride * sizeof(float));
  memset(p->weighed, 0, weighed);
  for (size_t i = 0; i < n; i++)
    for (size_t y = 0; y < k; y++) {
      const double w = p->layer->p[i * k + y];

      /* Smaller ones add nothing that could be seen, and would lead to denormals. */
      p->weight[y * p->stride + p->place[i]] = w < 0x1p-60 ? 0.0F : (float)w;
    }
  return PETSC_SUCCESS;
}

/* ---- all pairs ---- */

static float steepness_of(const pairs *p, size_t noise)
{
  const double log2_e = 1.4426950408889634, s = p->noise[noise] * p->scale * p->scale;

  /* Squared distances lie in [0, 4 d]: beyond these ends the kernel is 1 or 0 anyway. */
  return (float)fmin(fmax(log2_e / (8.0 * s), 0x1p-100), 0x1p120);
}

/* Blocks of pairs (i, j), i <= j, whose sums are in memory together, and what each costs. */
typedef struct {
  size_t n, room;    /* how many; and at most     */
  size_t (*side)[2]; /* shape (n): slabs i, j     */
  double *cost;      /* shape (n): pairs           */
  float *sum;        /* shape (n, floats)          */
  size_t floats;     /* of the sums of one block   */
} batch;

static PetscErrorCode make_batch(const pairs *p, size_t n_noise, batch *made)
{
  const size_t all = p->slabs * (p->slabs + 1) / 2,
               floats = ip_kde_sums(n_noise, p->layer->p ? (size_t)p->layer->k : 0);
  size_t n = IP_CREW_BYTES / (floats * sizeof(float));
  void *room[3] = {NULL};

  if (n < 1 || ip_workspace_crew(p->work)->size == 1) n = 1; /* it stays in cache */
  if (n > all) n = all;
  PetscCall(ip_workspace_room(p->work, SLOT_BLOCK, n * sizeof *made->side, &room[0]));
  PetscCall(ip_workspace_room(p->work, SLOT_BLOCK_COST, n * sizeof(double), &room[1]));
  PetscCall(ip_workspace_room(p->work, SLOT_BLOCK_SUM, n * floats * sizeof(float), &room[2]));
  *made =
      (batch){.room = n, .floats = floats, .side = room[0], .cost = room[1], .sum = room[2]};
  return PETSC_SUCCESS;
}

/* The blocks from next[0], next[1] on; n = 0: there are none left. */
static void fill_batch(const pairs *p, size_t next[2], batch *b)
{
  b->n = 0;
  while (b->n < b->room && next[0] < p->slabs) {
    const double pairs_in = (double)p->slab[next[0]].size * (double)p->slab[next[1]].size;

    b->side[b->n][0] = next[0], b->side[b->n][1] = next[1];
    b->cost[b->n++] = next[0] == next[1] ? 0.5 * pairs_in : pairs_in;
    if (++next[1] == p->slabs) next[1] = ++next[0];
  }
}

static void take_block(const pairs *p, const batch *batch_, size_t i, ip_kde_block *block)
{
  const slab *row = &p->slab[batch_->side[i][0]], *column = &p->slab[batch_->side[i][1]];

  block->row = row->begin, block->rows = row->size;
  block->column = column->begin, block->columns = column->size;
  block->sum = batch_->sum + i * batch_->floats;
}

/* The sums of a block, noise variances first .. , join those of all; own: within one group. */
static void add_block(const pairs *p, size_t first, bool own, const ip_kde_block *block)
{
  const float *sum = block->sum;

  for (size_t q = 0; q < block->n_noise; q++)
    for (size_t c = 0; c < 2; c++)
      for (size_t w = 0; w <= block->k; w++, sum += (size_t)2 * IP_KDE_BLOCK) {
        double *to = w == 0 ? sums_of(p, first + q, c, own)
                            : weighed_of(p, first + q, c) + (w - 1) * p->stride;
        double *row = to + block->row, *column = to + block->column;

        for (size_t i = 0; i < block->rows; i++) row[i] += (double)sum[i];
        for (size_t j = 0; j < block->columns; j++) column[j] += (double)sum[IP_KDE_BLOCK + j];
      }
}

/* Each member of the crew its blocks; the first one adds up those of all. */
static PetscErrorCode sum_batch(const pairs *p, size_t first, const batch *b,
                                ip_kde_block *block)
{
  const ip_crew *crew = ip_workspace_crew(p->work);
  size_t begin[IP_CREW + 1];

  ip_crew_share(crew, b->n, b->cost, begin);
  for (size_t i = begin[crew->member]; i < begin[crew->member + 1]; i++) {
    take_block(p, b, i, block);
    ip_kde_kernels_best()->sum_block(block);
    if (crew->between) PetscCall(crew->between(crew->context));
  }
  if (crew->size > 1)
    PetscCall(crew->gather(crew->context, b->floats * sizeof(float), begin, b->sum));
  for (size_t i = 0; crew->member == 0 && i < b->n; i++) {
    take_block(p, b, i, block);
    add_block(p, first, p->slab[b->side[i][0]].group == p->slab[b->side[i][1]].group, block);
  }
  return PETSC_SUCCESS;
}

/* Kernel sums of the noise variances first .. first + n - 1. */
static PetscErrorCode sum_pairs(const pairs *p, size_t first, size_t n)
{
  ip_kde_block block = {.d = p->layer->d,
                        .stride = p->stride,
                        .t = p->t,
                        .n_noise = n,
                        .k = p->layer->p ? (size_t)p->layer->k : 0,
                        .weight = p->weight,
                        .distance = p->distance};
  size_t next[2] = {0, 0};
  batch b;

  for (size_t q = 0; q < n; q++) block.steepness[q] = steepness_of(p, first + q);
  PetscCall(make_batch(p, n, &b));
  for (fill_batch(p, next, &b); b.n > 0; fill_batch(p, next, &b))
    PetscCall(sum_batch(p, first, &b, &block));
  return PETSC_SUCCESS;
}

static PetscErrorCode sum_all(pairs *p)
{
  const size_t bytes = p->n_noise * 4 * p->stride * sizeof(double);
  void *room[2] = {NULL};

  PetscCall(ip_workspace_room(p->work, SLOT_SUM, bytes, &room[0]));
  PetscCall(ip_workspace_room(p->work, SLOT_DISTANCE,
                              sizeof(float) * IP_KDE_BLOCK * IP_KDE_BLOCK, &room[1]));
  p->sum = room[0];
  p->distance = room[1];
  memset(p->sum, 0, bytes);
  if (p->layer->p) PetscCall(copy_weights(p));
  for (size_t q = 0; q < p->n_noise; q += IP_KDE_NOISES)
    PetscCall(sum_pairs(p, q, p->n_noise - q < IP_KDE_NOISES ? p->n_noise - q : IP_KDE_NOISES));
  return PETSC_SUCCESS;
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
static void information(const pairs *p, size_t noise, size_t bound, double *all, double *within)
{
  const double n = (double)p->layer->n;
  double logs = 0.0;

  *within = 0.0;
  for (size_t g = 0; g < p->groups; g++) {
    const size_t m = p->size[g];
    const double *own = sums_of(p, noise, bound, true) + p->begin[g],
                 *other = sums_of(p, noise, bound, false) + p->begin[g];

    if (m == 0) continue;
    logs += sum_of_logs(m, own, other);
    *within += (double)m / n * (ip_log2((double)m) - sum_of_logs(m, own, NULL) / (double)m);
  }
  *all = ip_log2(n) - logs / n;
}

/* sum_y p(y) M_y with p(y|x): with P = sum_j p_j, p(y) M_y = 1/n (P log2 P - sum_i p_i log2
   sum_j p_j e_ij). */
static double weighed_within(const pairs *p, size_t noise, size_t bound)
{
  const ip_layer *layer = p->layer;
  const size_t k = (size_t)layer->k;
  double within = 0.0;

  for (size_t y = 0; y < k; y++) {
    const double *sum = weighed_of(p, noise, bound) + y * p->stride;
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

static ip_information answer(const pairs *p, const ip_column *column, double s)
{
  const size_t bound = column->value[IP_KDE_BOUND].word == IP_BOUND_UPPER ? 1 : 0;
  ip_information out = {
      .i_ty_bias = NAN, .clipped_fraction = NAN, .bin_low = NAN, .bin_high = NAN, .h_t = NAN};
  size_t noise = 0;
  double within;

  /* A constant layer, its noise in units of its variance: nothing to tell apart. */
  if (!(s > 0.0)) return out;
  while (p->noise[noise] != s) noise++;
  information(p, noise, bound, &out.i_xt, &within);
  if (p->layer->p) within = weighed_within(p, noise, bound);
  out.i_ty = out.i_xt - within;
  out.h_t = ip_kde_entropy(out.i_xt, p->layer->d, s);
  return out;
}

/* The distinct noise variances of the columns, in order of first use. */
static PetscErrorCode find_noises(pairs *p, size_t n, const ip_column *const column[],
                                  double variance)
{
  void *room = NULL;

  PetscCall(ip_workspace_room(p->work, SLOT_NOISE, n * sizeof(double), &room));
  p->noise = room;
  for (size_t c = 0; c < n; c++) {
    const double s = ip_kde_noise(column[c], variance);
    bool known = !(s > 0.0);

    for (size_t q = 0; q < p->n_noise; q++) known = known || p->noise[q] == s;
    if (!known) p->noise[p->n_noise++] = s;
  }
  return PETSC_SUCCESS;
}

/* All that does not depend on the single column. */
static PetscErrorCode sum_layer(pairs *p, size_t n, const ip_column *const column[],
                                double *variance)
{
  *variance = NAN;
  for (size_t c = 0; c < n && isnan(*variance); c++)
    if (column[c]->value[IP_KDE_SCALE].word == IP_SCALE_LAYER)
      *variance = ip_kde_layer_variance(p->layer);
  PetscCall(find_noises(p, n, column, *variance));
  PetscCall(find_places(p));
  PetscCall(copy_samples(p));
  return p->n_noise > 0 ? sum_all(p) : PETSC_SUCCESS;
}

static PetscErrorCode measure(const ip_layer *layer, size_t n, const ip_column *const column[],
                              ip_workspace *work, ip_information out[])
{
  pairs p = {.layer = layer, .work = work};
  double variance;

  PetscCall(sum_layer(&p, n, column, &variance));
  for (size_t c = 0; c < n; c++)
    out[c] = answer(&p, column[c], ip_kde_noise(column[c], variance));
  return PETSC_SUCCESS;
}

static PetscErrorCode assist(const ip_layer *layer, size_t n, const ip_column *const column[],
                             ip_workspace *work)
{
  double variance;

  return sum_layer(&(pairs){.layer = layer, .work = work}, n, column, &variance);
}

const ip_estimator ip_estimator_kde = {
    .name = "kde",
    .sentence = "bounds from pairwise distances, for T with Gaussian noise",
    .reference = "Kolchinsky and Tracey, Entropy 19 (2017) 361",
    .parameter = parameter,
    .name_column = name_column,
    .check_column = check_column,
    .needs_run_range = needs_run_range,
    .measure = measure,
    .measure_reference = ip_kde_reference,
    .assist = assist,
    .cost = cost,
};
