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

   With a tolerance, the samples of a class stand in k-d order along the principal axes of the layer,
   and a strip of 4 meets a leaf of 16 only where their boxes, and with many units some pair of their
   samples, are nearer than a limit: D / (8 s) < X.  Each of the n sums is at least 1 and lacks less
   than n exp(-X), so that M(all), and sum_y p(y) M(S_y), come out too large by

     error <= n exp(-X) / ln 2   bits,

   and their difference is off by no more; for c = 2, whose kernels are the fourth powers, by far less.
   With p(y|x) the sum of sample i and class y is at least w_i and lacks less than sum_j w_j exp(-X);
   since the weights of all samples and classes add up to n, the bound is the same.  X is such that
   it and error_of_arithmetic, for single precision, make the tolerance.

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
    {
     .key = "kde_tolerance",
     .type = IP_REAL,
     .scope = IP_SCOPE_MEASURE,
     .unit = "bit",
     .low = 0.0,
     .high = 1.0,
     .initial = "1e-6",
     .coordinate = "column_kde_tolerance",
     .sentence =
            "error allowed for speed; 0: all pairs, and what is below the error of single "
            "precision means all pairs too", .reference = NULL,
     },
    {.key = NULL},
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
  FEW = 512, /* samples: to prune them gains nothing     */
  SOME = 32  /* samples of which all pairs are looked at */
};

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
  SLOT_BLOCK_SUM,
  SLOT_ROWS,
  SLOT_KEYS,
  SLOT_BOXES,
  SLOT_NEAR,
  SLOT_LINE,
  SLOT_SECOND,
  SLOT_KINDS
};

/* How the sums of a noise are made: of all pairs in order of the samples, of what is near, or along
   a line. */
typedef enum { ALL_PAIRS, NEAR_PAIRS, LINE, KINDS } kind;

/* A noise variance, and how much of the pairs may be left out. */
typedef struct {
  double variance, tolerance;
  float near;      /* from this squared distance on pairs may be left out */
  double left_out; /* error for that, bits, at most                       */
} noise;

/* Samples of one group that make a side of blocks. */
typedef struct {
  size_t begin, size, group;
} slab;

typedef struct {
  const ip_layer *layer;
  ip_workspace *work;
  size_t groups;    /* classes, or one where p is given                   */
  size_t *begin;    /* shape (groups): first place, a multiple of 16      */
  size_t *size;     /* shape (groups): samples                            */
  size_t *place;    /* shape (n): where a sample stands                   */
  size_t slabs;     /*                                                    */
  slab *slab;       /* shape (slabs)                                      */
  size_t stride;    /*                                                    */
  float *t;         /* shape (d, stride)                                  */
  double scale;     /* t here is scale times the layer's, a power of two  */
  float widest;     /* no squared distance is above it                    */
  kind kind;        /* */
  ip_kde_axes axes; /* of near pairs */
  ip_kde_boxes boxes;
  const kind *of;          /* shape (columns): their kinds                 */
  const ip_kde_line *line; /* where the samples are, if on a line          */
  size_t n_noise;          /* distinct noises                                    */
  noise *noise;            /* shape (n_noise)                                    */
  double *sum;             /* shape (n_noise, 2 bounds, own or other, stride)    */
  float *distance;         /* room of the kernel                                 */
  float *weight;           /* shape (k, stride): p(y|x), where given             */
  double *weighed;         /* shape (n_noise, 2 bounds, k, stride)               */
} pairs;

static double *sums_of(const pairs *p, size_t q, size_t bound, bool own)
{
  return p->sum + ((q * 2 + bound) * 2 + (own ? 0 : 1)) * p->stride;
}

static double *weighed_of(const pairs *p, size_t q, size_t bound)
{
  return p->weighed + (q * 2 + bound) * (size_t)p->layer->k * p->stride;
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

/* How far the layer reaches: the power of two that brings the largest activation into [1/2, 1),
   exact, so that no square overflows; and what no squared distance is above then, though each step
   of it is rounded. */
static void find_reach(pairs *p)
{
  const ip_layer *layer = p->layer;
  double largest = 0.0, sum = 0.0;
  int exponent = 0;

  for (size_t u = 0; u < layer->d; u++) {
    float low = 0.0F, high = 0.0F;

    ip_binning_kernels_best()->extremes(layer->n, layer->t + u * layer->stride, &low, &high);
    largest = fmax(largest, fmax(-(double)low, (double)high));
    sum += ((double)high - (double)low) * ((double)high - (double)low);
  }
  (void)frexp(largest, &exponent);
  p->scale = ldexp(1.0, -exponent);
  p->widest = (float)(1.001 * sum * p->scale * p->scale);
}

/* Samples in k-d order within their groups. */
static PetscErrorCode order_places(pairs *p)
{
  const ip_layer *layer = p->layer;
  const size_t floats = ip_kde_row_floats(layer->n, layer->d);
  void *room[2] = {NULL};
  size_t before = 0;

  PetscCall(ip_workspace_room(p->work, SLOT_ROWS, floats * sizeof(float), &room[0]));
  PetscCall(
      ip_workspace_room(p->work, SLOT_KEYS, (2 * layer->n + 8) * sizeof(uint64_t), &room[1]));

  uint64_t *key = room[1];

  p->axes.row = room[0];
  ip_kde_turn(layer, p->scale, &p->axes);
  for (size_t g = 0; g < p->groups; before += p->size[g++]) {
    uint64_t *mine = key + before;
    size_t m = 0;

    if (p->size[g] == 0) continue;
    for (uint32_t i = 0; i < layer->n; i++)
      if (layer->p || (size_t)layer->y[i] == g) mine[m++] = i;
    ip_kde_order_kernels_best()->order(&p->axes, m, mine, key + layer->n);
    for (size_t i = 0; i < m; i++) p->place[mine[i] & UINT32_MAX] = p->begin[g] + i;
  }
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
  if (p->kind == NEAR_PAIRS) PetscCall(order_places(p));
  /* Rows of a multiple of a page would meet in the same lines of the cache. */
  p->stride = next % 256 == 0 ? next + 16 : next;
  return cut_slabs(p);
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
  for (size_t u = 0; u < layer->d; u++) {
    const float *from = layer->t + u * layer->stride;
    float *to = p->t + u * p->stride;

    for (size_t g = 0; g < p->groups; g++)
      for (size_t i = p->begin[g] + p->size[g]; i % 16 != 0; i++)
        to[i] = 0x1p60F; /* far away */
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

static double steepness_of(const pairs *p, size_t q)
{
  const double log2_e = 1.4426950408889634, s = p->noise[q].variance * p->scale * p->scale;

  /* Squared distances lie in [0, 4 d]: beyond these ends the kernel is 1 or 0 anyway. */
  return fmin(fmax(log2_e / (8.0 * s), 0x1p-100), 0x1p120);
}

/* ---- what may be left out ---- */

/* Error of any noise through single precision, bits, at most.  With every sum at least 1, an error of
   exp(-X) counts at most (n-1)/n of it, and one of X at most w = W((n-1)/e) times.  What does not
   average out: that of a power (see kernels), four times for its fourth power; and 4 units of what
   equal kernels round alike.  Other roundings are taken as independent (Higham and Mary, SIAM J.
   Sci. Comput. 41 (2019) A2815), four standard deviations, over n samples: of d differences and
   their squares, of a power and its fourth power, of sums. */
static double error_of_arithmetic(const ip_layer *layer)
{
  const double log2_e = 1.4426950408889634, u = 0x1p-24, n = (double)layer->n,
               d = (double)layer->d, power = 4.0 * 5.9e-8, alike = 4.0 * u;
  double w = fmax(1.0, ip_log(n));

  for (int i = 0; i < 8; i++) { /* w e^w = (n - 1) / e, from above by Newton's steps */
    const double e = ip_exp(w);

    w -= (w * e - (n - 1.0) / 2.718281828459045) / (e * (w + 1.0));
  }
  return log2_e * (n - 1.0) / n *
         (power + alike + 4.0 * u * sqrt((w * w * (d + 4.0) / 3.0 + 32.0) / n));
}

/* The nearest limit, in bits of the exponent, that keeps an estimate within its tolerance; infinite if
   none does.  At least where kernels are below 2^-11, so that the upper bound, whose kernel is the
   fourth power, has a smaller error than the lower. */
static double limit_of(const ip_layer *layer, double tolerance)
{
  const double ln_2 = 0.6931471805599453,
               allowed = 0.9999 * tolerance - error_of_arithmetic(layer);

  if (!(allowed > 0.0)) return (double)INFINITY;
  return fmax(ip_log2((double)layer->n / (ln_2 * allowed)), 11.0);
}

/* Some sample: neither the first ones nor every so many, which may have something in common. */
static size_t some_sample(size_t i, size_t n)
{
  return (size_t)(((uint64_t)(i + 1) * 0x9e3779b97f4a7c15U >> 32) * n >> 32);
}

/* Share of the pairs of some samples that are nearer than the limit. */
static double share_of_near(const ip_layer *layer, double s, double tolerance)
{
  const double ln_2 = 0.6931471805599453, limit = 8.0 * s * ln_2 * limit_of(layer, tolerance);
  const size_t m = layer->n < SOME ? layer->n : SOME;
  size_t near = 0;

  for (size_t i = 0; i < m; i++)
    for (size_t j = 0; j < i; j++) {
      const size_t a = some_sample(i, layer->n), b = some_sample(j, layer->n);
      double distance = 0.0;

      for (size_t u = 0; u < layer->d; u++) {
        const double gap =
            (double)layer->t[u * layer->stride + a] - (double)layer->t[u * layer->stride + b];

        distance += gap * gap;
      }
      near += distance < limit;
    }
  return (double)near / (0.5 * (double)m * (double)(m - 1));
}

static kind kind_of(const ip_layer *layer, const ip_kde_line *line, double s, double tolerance)
{
  const double n = (double)layer->n, all = n * n / 32.0 * ((double)layer->d + 11.0);

  if (tolerance == 0.0) return ALL_PAIRS;
  if (ip_kde_line_cost(layer, line, s) < fmax(0.5 * all, 1e6) &&
      ip_kde_line_error(layer, line, s) <= 0.5 * tolerance)
    return LINE;
  if (layer->n < FEW || layer->d > IP_KDE_ORDERED) return ALL_PAIRS;
  return share_of_near(layer, s, tolerance) > 0.6 ? ALL_PAIRS : NEAR_PAIRS;
}

/* The box of n samples, a little larger: shape (2, m). */
static void find_box(const ip_kde_axes *axes, size_t n, const uint64_t key[], float box[])
{
  float low[IP_KDE_ORDERED] = {0.0F}, high[IP_KDE_ORDERED];

  memcpy(low, axes->row + (key[0] & UINT32_MAX) * axes->width, axes->width * sizeof *low);
  memcpy(high, low, sizeof low);
  for (size_t i = 1; i < n; i++) {
    const float *t = axes->row + (key[i] & UINT32_MAX) * axes->width;

    for (size_t a = 0; a < axes->width; a++) {
      low[a] = t[a] < low[a] ? t[a] : low[a];
      high[a] = t[a] > high[a] ? t[a] : high[a];
    }
  }
  for (size_t a = 0; a < axes->m; a++) {
    box[a] = low[a] - axes->error;
    box[axes->m + a] = high[a] + axes->error;
  }
}

/* Boxes of all leaves and strips that hold samples. */
static PetscErrorCode make_boxes(pairs *p)
{
  const size_t m = p->axes.m, leaves = p->stride / 16 + 16,
               floats = 2 * m * leaves + 2 * m * 4 * leaves;
  const uint64_t *key = NULL;
  void *room = NULL;

  PetscCall(ip_workspace_room(p->work, SLOT_KEYS, p->layer->n * sizeof(uint64_t), &room));
  key = room;
  PetscCall(ip_workspace_room(p->work, SLOT_BOXES, floats * sizeof(float), &room));
  memset(room, 0, floats * sizeof(float));

  float *low = room, *high = low + m * leaves, *strip = high + m * leaves;

  for (size_t g = 0; g < p->groups; key += p->size[g++])
    for (size_t i = 0; i < p->size[g]; i += 4) {
      const size_t s = (p->begin[g] + i) / 4, left = p->size[g] - i;
      float *box = strip + s * 2 * m;

      find_box(&p->axes, left < 4 ? left : 4, key + i, box);
      for (size_t a = 0; a < m; a++) {
        const size_t leaf = a * leaves + s / 4;

        low[leaf] = s % 4 == 0 || box[a] < low[leaf] ? box[a] : low[leaf];
        high[leaf] = s % 4 == 0 || box[m + a] > high[leaf] ? box[m + a] : high[leaf];
      }
    }
  p->boxes = (ip_kde_boxes){.m = m, .leaves = leaves, .low = low, .high = high, .strip = strip};
  return PETSC_SUCCESS;
}

/* How near pairs of a noise are that must not be left out. */
static void find_limit(const ip_layer *layer, noise *at, double steepness)
{
  const double ln_2 = 0.6931471805599453, bits = limit_of(layer, at->tolerance);

  at->near = (float)(1.0001 * bits / steepness); /* distances are rounded */
  at->left_out = (double)layer->n / ln_2 * ip_exp(-ln_2 * bits);
}

static PetscErrorCode find_limits(pairs *p)
{
  if (p->kind != NEAR_PAIRS) return PETSC_SUCCESS;
  for (size_t q = 0; q < p->n_noise; q++)
    find_limit(p->layer, &p->noise[q], steepness_of(p, q));
  return make_boxes(p);
}

/* ---- pairs ---- */

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
                        .boxes = p->kind == NEAR_PAIRS ? &p->boxes : NULL,
                        .widest = p->widest,
                        .weight = p->weight,
                        .distance = p->distance};
  size_t next[2] = {0, 0};
  void *room = NULL;
  batch b = {0};

  for (size_t q = 0; q < n; q++) {
    const double steepness = steepness_of(p, first + q);

    block.steepness[q] = (float)steepness;
    block.rest[q] = (float)(steepness - (double)block.steepness[q]);
    block.near[q] = p->noise[first + q].near;
    block.any_near = q == 0 ? block.near[q] : fmaxf(block.any_near, block.near[q]);
  }
  PetscCall(make_batch(p, n, &b));
  PetscCall(ip_workspace_room(p->work, SLOT_SECOND, b.floats / 2 * sizeof(double), &room));
  block.second = room;
  for (fill_batch(p, next, &b); b.n > 0; fill_batch(p, next, &b))
    PetscCall(sum_batch(p, first, &b, &block));
  return PETSC_SUCCESS;
}

/* Sums along the line, of one noise. */
static PetscErrorCode sum_line(const pairs *p, size_t q)
{
  const ip_layer *layer = p->layer;
  const size_t k = (size_t)layer->k;
  void *room = NULL;

  PetscCall(ip_workspace_room(p->work, SLOT_NEAR, layer->n * k * sizeof(double), &room));

  double *sum = room;

  for (size_t bound = 0; bound < 2; bound++) {
    double *own = sums_of(p, q, bound, true), *other = sums_of(p, q, bound, false);
    const double w = sqrt((bound == 0 ? 8.0 : 2.0) * p->noise[q].variance);

    PetscCall(ip_kde_line_sums(layer, p->line, w, p->work, SLOT_DISTANCE, sum));
    for (size_t i = 0; i < layer->n; i++)
      for (size_t y = 0; y < k; y++) {
        const size_t at = p->place[i];

        *(layer->p || (size_t)layer->y[i] == y ? own + at : other + at) += sum[i * k + y];
        if (layer->p) weighed_of(p, q, bound)[y * p->stride + at] = sum[i * k + y];
      }
  }
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
  for (size_t q = 0; p->kind == LINE && q < p->n_noise; q++) PetscCall(sum_line(p, q));
  if (p->kind == LINE) return PETSC_SUCCESS;
  PetscCall(find_limits(p));
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
static void information(const pairs *p, size_t q, size_t bound, double *all, double *within)
{
  const double n = (double)p->layer->n;
  double logs = 0.0;

  *within = 0.0;
  for (size_t g = 0; g < p->groups; g++) {
    const size_t m = p->size[g];
    const double *own = sums_of(p, q, bound, true) + p->begin[g],
                 *other = sums_of(p, q, bound, false) + p->begin[g];

    if (m == 0) continue;
    logs += sum_of_logs(m, own, other);
    *within += (double)m / n * (ip_log2((double)m) - sum_of_logs(m, own, NULL) / (double)m);
  }
  *all = ip_log2(n) - logs / n;
}

/* sum_y p(y) M_y with p(y|x): with P = sum_j p_j, p(y) M_y = 1/n (P log2 P - sum_i p_i log2
   sum_j p_j e_ij). */
static double weighed_within(const pairs *p, size_t q, size_t bound)
{
  const ip_layer *layer = p->layer;
  const size_t k = (size_t)layer->k;
  double within = 0.0;

  for (size_t y = 0; y < k; y++) {
    const double *sum = weighed_of(p, q, bound) + y * p->stride;
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

static double tolerance_of(const ip_column *column)
{
  return column->value[IP_KDE_TOLERANCE].real;
}

/* The noise of a column, n_noise: not among them. */
static size_t find_noise(const pairs *p, double s, double tolerance)
{
  size_t q = 0;

  while (q < p->n_noise && (p->noise[q].variance != s || p->noise[q].tolerance != tolerance))
    q++;
  return q;
}

/* A constant layer, its noise in units of its variance: nothing to tell apart. */
static const ip_information nothing = {
    .i_ty_bias = NAN, .clipped_fraction = NAN, .bin_low = NAN, .bin_high = NAN, .h_t = NAN};

/* What a column says, if its noise is among these. */
static void answer(const pairs *p, const ip_column *column, double s, ip_information *out)
{
  const size_t bound = column->value[IP_KDE_BOUND].word == IP_BOUND_UPPER ? 1 : 0,
               q = find_noise(p, s, tolerance_of(column));
  double within;

  if (q == p->n_noise) return;
  information(p, q, bound, &out->i_xt, &within);
  if (p->layer->p) within = weighed_within(p, q, bound);
  out->i_ty = out->i_xt - within;
  out->h_t = ip_kde_entropy(out->i_xt, p->layer->d, s);
  out->error_bound =
      (float)(p->kind == LINE ? ip_kde_line_error(p->layer, p->line, s)
                              : p->noise[q].left_out + error_of_arithmetic(p->layer));
}

/* The distinct noises of the columns of a kind, in order of first use. */
static PetscErrorCode find_noises(pairs *p, size_t n, const ip_column *const column[],
                                  double variance)
{
  void *room = NULL;

  PetscCall(ip_workspace_room(p->work, SLOT_NOISE, n * sizeof(noise), &room));
  p->noise = room;
  for (size_t c = 0; c < n; c++) {
    const double s = ip_kde_noise(column[c], variance), tolerance = tolerance_of(column[c]);

    if (!(s > 0.0) || p->of[c] != p->kind) continue;
    if (find_noise(p, s, tolerance) == p->n_noise)
      p->noise[p->n_noise++] = (noise){.variance = s, .tolerance = tolerance};
  }
  return PETSC_SUCCESS;
}

/* All that does not depend on the single column. */
static PetscErrorCode sum_layer(pairs *p, size_t n, const ip_column *const column[],
                                double variance)
{
  PetscCall(find_noises(p, n, column, variance));
  if (p->n_noise == 0) return PETSC_SUCCESS;
  find_reach(p);
  PetscCall(find_places(p));
  PetscCall(copy_samples(p));
  return sum_all(p);
}

/* Variance of the layer, where a column asks for it. */
static double variance_of(const ip_layer *layer, size_t n, const ip_column *const column[])
{
  for (size_t c = 0; c < n; c++)
    if (column[c]->value[IP_KDE_SCALE].word == IP_SCALE_LAYER)
      return ip_kde_layer_variance(layer);
  return (double)NAN;
}

/* The line on which the samples are, if columns may be measured along it. */
static PetscErrorCode find_line(const pairs *p, size_t n, const ip_column *const column[],
                                double variance, ip_kde_line *line)
{
  double r_most = -1.0;
  void *room = NULL;

  *line = (ip_kde_line){.found = false};
  for (size_t c = 0; c < n; c++) {
    const double s = ip_kde_noise(column[c], variance);

    /* farther off, the error would be above half the tolerance */
    if (s > 0.0 && tolerance_of(column[c]) > 0.0)
      r_most = fmax(r_most, sqrt(0.2 * s * tolerance_of(column[c])));
  }
  if (r_most < 0.0) return PETSC_SUCCESS;
  PetscCall(ip_workspace_room(p->work, SLOT_LINE, p->layer->n * sizeof(double), &room));
  ip_kde_find_line(p->layer, r_most, room, line);
  return PETSC_SUCCESS;
}

/* How each column is measured. */
static PetscErrorCode find_kinds(pairs *p, size_t n, const ip_column *const column[],
                                 double variance, ip_kde_line *line)
{
  void *room = NULL;

  PetscCall(find_line(p, n, column, variance, line));
  PetscCall(ip_workspace_room(p->work, SLOT_KINDS, n * sizeof(kind), &room));

  kind *of = room;

  for (size_t c = 0; c < n; c++) {
    const double s = ip_kde_noise(column[c], variance), tolerance = tolerance_of(column[c]);
    size_t before = 0; /* a column of the same noise: the other bound */

    while (before < c && (ip_kde_noise(column[before], variance) != s ||
                          tolerance_of(column[before]) != tolerance))
      before++;
    of[c] = before < c ? of[before] : kind_of(p->layer, line, s, tolerance);
  }
  p->of = of;
  p->line = line;
  return PETSC_SUCCESS;
}

/* Columns of two kinds know nothing of each other, so that each is what it is alone. */
static PetscErrorCode measure(const ip_layer *layer, size_t n, const ip_column *const column[],
                              ip_workspace *work, ip_information out[])
{
  const double variance = variance_of(layer, n, column);
  pairs known = {.layer = layer, .work = work};
  ip_kde_line line;

  PetscCall(find_kinds(&known, n, column, variance, &line));
  for (size_t c = 0; c < n; c++) out[c] = nothing;
  for (kind k = ALL_PAIRS; k < KINDS; k++) {
    pairs p = known;

    p.kind = k;
    PetscCall(sum_layer(&p, n, column, variance));
    for (size_t c = 0; c < n; c++)
      answer(&p, column[c], ip_kde_noise(column[c], variance), &out[c]);
  }
  return PETSC_SUCCESS;
}

static PetscErrorCode assist(const ip_layer *layer, size_t n, const ip_column *const column[],
                             ip_workspace *work)
{
  const double variance = variance_of(layer, n, column);
  pairs known = {.layer = layer, .work = work};
  ip_kde_line line;

  PetscCall(find_kinds(&known, n, column, variance, &line));
  for (kind k = ALL_PAIRS; k < LINE; k++) { /* a line is not worth sharing */
    pairs p = known;

    p.kind = k;
    PetscCall(sum_layer(&p, n, column, variance));
  }
  return PETSC_SUCCESS;
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
