/* Kernel sums over the pairs of samples of a layer.

   Samples are copied in order of their classes, each class from a multiple of 16 on, so that a
   block of pairs lies within one class or between two, and the sums of a class come out of the
   same pass as those of all.  A block adds up by itself, in single precision; the sums of blocks
   are added in double and in fixed order, whoever of a crew made them. */

#include "kde_pairs.h"
#include <math.h>
#include <string.h>

/* ---- samples in order of their classes ---- */

double *ip_kde_sums_of(const ip_kde_pairs *p, size_t q, size_t bound, bool own)
{
  return p->sum + ((q * 2 + bound) * 2 + (own ? 0 : 1)) * p->stride;
}

double *ip_kde_weighed_of(const ip_kde_pairs *p, size_t q, size_t bound)
{
  return p->weighed + (q * 2 + bound) * (size_t)p->layer->k * p->stride;
}

/* Every group from its beginning in sides of blocks, the last one smaller. */
static PetscErrorCode cut_slabs(ip_kde_pairs *p)
{
  void *room = NULL;

  PetscCall(ip_workspace_room(p->work, IP_KDE_SLOT_SLAB,
                              (p->layer->n / IP_KDE_BLOCK + p->groups) * sizeof *p->slab,
                              &room));
  p->slab = room;
  for (size_t g = 0; g < p->groups; g++)
    for (size_t at = 0; at < p->size[g]; at += IP_KDE_BLOCK)
      p->slab[p->slabs++] =
          (ip_kde_slab){.begin = p->begin[g] + at,
                        .size = p->size[g] - at < IP_KDE_BLOCK ? p->size[g] - at : IP_KDE_BLOCK,
                        .group = g};
  return PETSC_SUCCESS;
}

/* How far the layer reaches: the power of two that brings the largest activation into [1/2, 1),
   exact, so that no square overflows; and what no squared distance is above then, though each step
   of it is rounded. */
static void find_reach(ip_kde_pairs *p)
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
static PetscErrorCode order_places(ip_kde_pairs *p)
{
  const ip_layer *layer = p->layer;
  const size_t floats = ip_kde_row_floats(layer->n, layer->d);
  void *room[2] = {NULL};
  size_t before = 0;

  PetscCall(ip_workspace_room(p->work, IP_KDE_SLOT_ROWS, floats * sizeof(float), &room[0]));
  PetscCall(ip_workspace_room(p->work, IP_KDE_SLOT_KEYS, (2 * layer->n + 8) * sizeof(uint64_t),
                              &room[1]));

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

static PetscErrorCode find_places(ip_kde_pairs *p)
{
  const ip_layer *layer = p->layer;
  void *room = NULL;
  size_t next = 0;

  p->groups = layer->p ? 1 : (size_t)layer->k;
  PetscCall(ip_workspace_room(p->work, IP_KDE_SLOT_PLACE,
                              (layer->n + 2 * p->groups) * sizeof(size_t), &room));
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
  if (p->kind == IP_KDE_NEAR_PAIRS) PetscCall(order_places(p));
  /* Rows of a multiple of a page would meet in the same lines of the cache. */
  p->stride = next % 256 == 0 ? next + 16 : next;
  return cut_slabs(p);
}

static PetscErrorCode copy_samples(ip_kde_pairs *p)
{
  const ip_layer *layer = p->layer;
  size_t bytes;
  void *room = NULL;

  IP_CHECK(!__builtin_mul_overflow(layer->d, p->stride * sizeof(float), &bytes),
           IP_ERR_INTERNAL, "no memory for %zu units of %zu samples", layer->d, layer->n);
  PetscCall(ip_workspace_room(p->work, IP_KDE_SLOT_T, bytes, &room));
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

static PetscErrorCode copy_weights(ip_kde_pairs *p)
{
  const size_t k = (size_t)p->layer->k, n = p->layer->n,
               weighed = p->n_noise * 2 * k * p->stride * sizeof(double);
  void *room[2] = {NULL};

  PetscCall(
      ip_workspace_room(p->work, IP_KDE_SLOT_WEIGHT, k * p->stride * sizeof(float), &room[0]));
  PetscCall(ip_workspace_room(p->work, IP_KDE_SLOT_WEIGHED, weighed, &room[1]));
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

double ip_kde_steepness(const ip_kde_pairs *p, size_t q)
{
  const double log2_e = 1.4426950408889634, s = p->noise[q].variance * p->scale * p->scale;

  /* Squared distances lie in [0, 4 d]: beyond these ends the kernel is 1 or 0 anyway. */
  return fmin(fmax(log2_e / (8.0 * s), 0x1p-100), 0x1p120);
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

static PetscErrorCode make_batch(const ip_kde_pairs *p, size_t n_noise, batch *made)
{
  const size_t all = p->slabs * (p->slabs + 1) / 2,
               floats = ip_kde_sums(n_noise, p->layer->p ? (size_t)p->layer->k : 0);
  size_t n = IP_CREW_BYTES / (floats * sizeof(float));
  void *room[3] = {NULL};

  if (n < 1 || ip_workspace_crew(p->work)->size == 1) n = 1; /* it stays in cache */
  if (n > all) n = all;
  PetscCall(ip_workspace_room(p->work, IP_KDE_SLOT_BLOCK, n * sizeof *made->side, &room[0]));
  PetscCall(ip_workspace_room(p->work, IP_KDE_SLOT_BLOCK_COST, n * sizeof(double), &room[1]));
  PetscCall(
      ip_workspace_room(p->work, IP_KDE_SLOT_BLOCK_SUM, n * floats * sizeof(float), &room[2]));
  *made =
      (batch){.room = n, .floats = floats, .side = room[0], .cost = room[1], .sum = room[2]};
  return PETSC_SUCCESS;
}

/* The blocks from next[0], next[1] on; n = 0: there are none left. */
static void fill_batch(const ip_kde_pairs *p, size_t next[2], batch *b)
{
  b->n = 0;
  while (b->n < b->room && next[0] < p->slabs) {
    const double pairs_in = (double)p->slab[next[0]].size * (double)p->slab[next[1]].size;

    b->side[b->n][0] = next[0], b->side[b->n][1] = next[1];
    b->cost[b->n++] = next[0] == next[1] ? 0.5 * pairs_in : pairs_in;
    if (++next[1] == p->slabs) next[1] = ++next[0];
  }
}

static void take_block(const ip_kde_pairs *p, const batch *batch_, size_t i,
                       ip_kde_block *block)
{
  const ip_kde_slab *row = &p->slab[batch_->side[i][0]], *column = &p->slab[batch_->side[i][1]];

  block->row = row->begin, block->rows = row->size;
  block->column = column->begin, block->columns = column->size;
  block->sum = batch_->sum + i * batch_->floats;
}

/* The sums of a block, noise variances first .. , join those of all; own: within one group. */
static void add_block(const ip_kde_pairs *p, size_t first, bool own, const ip_kde_block *block)
{
  const float *sum = block->sum;

  for (size_t q = 0; q < block->n_noise; q++)
    for (size_t c = 0; c < 2; c++)
      for (size_t w = 0; w <= block->k; w++, sum += (size_t)2 * IP_KDE_BLOCK) {
        double *to = w == 0 ? ip_kde_sums_of(p, first + q, c, own)
                            : ip_kde_weighed_of(p, first + q, c) + (w - 1) * p->stride;
        double *row = to + block->row, *column = to + block->column;

        for (size_t i = 0; i < block->rows; i++) row[i] += (double)sum[i];
        for (size_t j = 0; j < block->columns; j++) column[j] += (double)sum[IP_KDE_BLOCK + j];
      }
}

/* Each member of the crew its blocks; the first one adds up those of all. */
static PetscErrorCode sum_batch(const ip_kde_pairs *p, size_t first, const batch *b,
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
static PetscErrorCode sum_pairs(const ip_kde_pairs *p, size_t first, size_t n)
{
  ip_kde_block block = {.d = p->layer->d,
                        .stride = p->stride,
                        .t = p->t,
                        .n_noise = n,
                        .k = p->layer->p ? (size_t)p->layer->k : 0,
                        .boxes = p->kind == IP_KDE_NEAR_PAIRS ? &p->boxes : NULL,
                        .widest = p->widest,
                        .weight = p->weight,
                        .distance = p->distance};
  size_t next[2] = {0, 0};
  void *room = NULL;
  batch b = {0};

  for (size_t q = 0; q < n; q++) {
    const double steepness = ip_kde_steepness(p, first + q);

    block.steepness[q] = (float)steepness;
    block.rest[q] = (float)(steepness - (double)block.steepness[q]);
    block.near[q] = p->noise[first + q].near;
    block.any_near = q == 0 ? block.near[q] : fmaxf(block.any_near, block.near[q]);
  }
  PetscCall(make_batch(p, n, &b));
  PetscCall(
      ip_workspace_room(p->work, IP_KDE_SLOT_SECOND, b.floats / 2 * sizeof(double), &room));
  block.second = room;
  for (fill_batch(p, next, &b); b.n > 0; fill_batch(p, next, &b))
    PetscCall(sum_batch(p, first, &b, &block));
  return PETSC_SUCCESS;
}

/* Sums along the line, of one noise. */
static PetscErrorCode sum_line(const ip_kde_pairs *p, size_t q)
{
  const ip_layer *layer = p->layer;
  const size_t k = (size_t)layer->k;
  void *room = NULL;

  PetscCall(ip_workspace_room(p->work, IP_KDE_SLOT_NEAR, layer->n * k * sizeof(double), &room));

  double *sum = room;

  for (size_t bound = 0; bound < 2; bound++) {
    double *own = ip_kde_sums_of(p, q, bound, true),
           *other = ip_kde_sums_of(p, q, bound, false);
    const double w = sqrt((bound == 0 ? 8.0 : 2.0) * p->noise[q].variance);

    PetscCall(ip_kde_line_sums(layer, p->line, w, p->work, IP_KDE_SLOT_DISTANCE, sum));
    for (size_t i = 0; i < layer->n; i++)
      for (size_t y = 0; y < k; y++) {
        const size_t at = p->place[i];

        *(layer->p || (size_t)layer->y[i] == y ? own + at : other + at) += sum[i * k + y];
        if (layer->p) ip_kde_weighed_of(p, q, bound)[y * p->stride + at] = sum[i * k + y];
      }
  }
  return PETSC_SUCCESS;
}

static PetscErrorCode sum_all(ip_kde_pairs *p)
{
  const size_t bytes = p->n_noise * 4 * p->stride * sizeof(double);
  void *room[2] = {NULL};

  PetscCall(ip_workspace_room(p->work, IP_KDE_SLOT_SUM, bytes, &room[0]));
  PetscCall(ip_workspace_room(p->work, IP_KDE_SLOT_DISTANCE,
                              sizeof(float) * IP_KDE_BLOCK * IP_KDE_BLOCK, &room[1]));
  p->sum = room[0];
  p->distance = room[1];
  memset(p->sum, 0, bytes);
  if (p->layer->p) PetscCall(copy_weights(p));
  for (size_t q = 0; p->kind == IP_KDE_LINE && q < p->n_noise; q++) PetscCall(sum_line(p, q));
  if (p->kind == IP_KDE_LINE) return PETSC_SUCCESS;
  PetscCall(ip_kde_find_limits(p));
  for (size_t q = 0; q < p->n_noise; q += IP_KDE_NOISES)
    PetscCall(sum_pairs(p, q, p->n_noise - q < IP_KDE_NOISES ? p->n_noise - q : IP_KDE_NOISES));
  return PETSC_SUCCESS;
}

PetscErrorCode ip_kde_sum(ip_kde_pairs *p)
{
  find_reach(p);
  PetscCall(find_places(p));
  PetscCall(copy_samples(p));
  return sum_all(p);
}
