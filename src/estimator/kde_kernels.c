/* Kernel sums over a block of pairs of samples.

     D = |t_i - t_j|^2,   e = exp(-D / (8 s)) for the lower bound,   e^4 for the upper.

   Four rows at a time: their distances to all columns, or to those whose boxes are near, then the
   exponentials, whose sums along the rows stay in registers and along the columns in the block's
   array.  Sixteen lanes add up in the tree of lanes.h. */

#include "kernels.h"
#include <infoplane/lanes.h>
#if defined __AVX2__
#include <immintrin.h>
#endif

enum {
  STRIP = IP_KDE_STRIP,
  SIDE = IP_KDE_BLOCK,
  CHUNK = 32,    /* units of a wide layer that are added at a time            */
  CHAIN = 8,     /* strips, or vectors, whose sums make one chain             */
  MANY_UNITS = 6 /* to look at distances before exponentials pays from here on */
};

/* Vectors of 16 columns that a strip meets: where they begin in the block. */
typedef struct {
  size_t n;
  uint32_t column[SIDE / IP_LANES];
} tiles;

/* Sums along the rows of a strip and the columns of the block: [0] of e, [1] of e^4. */
typedef struct {
  ip_lanes row[2][STRIP];
  float *column[2];
  float *keep; /* where kernels are kept, shape (2, STRIP, SIDE); NULL: nowhere */
} strip_sums;

/* ---- distances ---- */

#define EACH_ROW(r) _Pragma("GCC unroll 4") for (size_t r = 0; r < STRIP; r++)

/* Squared distances of a strip of rows x to one vector of columns, over n units; added to what out
   holds where `more`.  out: four rows, SIDE apart. */
IP_INLINE void distances_to(const float *x, const float *column, const size_t n_stride[2],
                            bool more, float *out)
{
  ip_register sum[STRIP][IP_REGISTERS] = {{{0}}};

  for (size_t u = 0; u < n_stride[0]; u++, x += n_stride[1], column += n_stride[1]) {
    const ip_lanes there = ip_load(column);

#pragma GCC unroll 4
    for (size_t r = 0; r < STRIP; r++) {
      const ip_register here = x[r] - (ip_register){0};
      IP_EACH(h)
      {
        const ip_register gap = there.r[h] - here;

        sum[r][h] = ip_fma_register(gap, gap, sum[r][h]);
      }
    }
  }
#pragma GCC unroll 4
  for (size_t r = 0; r < STRIP; r++) {
    IP_EACH(h)
    {
      ip_register *to = (ip_register *)(void *)(out + r * SIDE) + h;

      *to = more ? *to + sum[r][h] : sum[r][h];
    }
  }
}

/* Add the squared distances over units unit[0] .. unit[1] - 1 to out, shape (STRIP, SIDE). */
IP_INLINE void add_distances(const ip_kde_block *b, size_t row, const tiles *met,
                             const size_t unit[2], float *out)
{
  const float *t = b->t + unit[0] * b->stride;
  const size_t n_stride[2] = {unit[1] - unit[0], b->stride};

  for (size_t i = 0; i < met->n; i++)
    distances_to(t + b->row + row, t + b->column + met->column[i], n_stride, unit[0] > 0,
                 out + met->column[i]);
}

/* ---- boxes ---- */

IP_INLINE ip_register load_anywhere(const float *from)
{
  ip_register a;

  memcpy(&a, from, sizeof a);
  return a;
}

/* Squared distances of the box of a strip to those of 16 leaves. */
IP_INLINE ip_lanes box_distances(const ip_kde_boxes *boxes, size_t strip, size_t leaf)
{
  const ip_register zero = {0};
  const float *of_strip = boxes->strip + strip * 2 * boxes->m;
  ip_lanes sum = {0};

  for (size_t a = 0; a < boxes->m; a++) {
    const float *low = boxes->low + a * boxes->leaves + leaf,
                *high = boxes->high + a * boxes->leaves + leaf;
    const ip_register begin = of_strip[a] - zero, end = of_strip[boxes->m + a] - zero;

    IP_EACH(h)
    {
      const ip_register above = load_anywhere(low + h * IP_WIDTH) - end,
                        below = begin - load_anywhere(high + h * IP_WIDTH);
      const ip_register gap = ip_larger(ip_larger(above, below), zero);

      sum.r[h] = ip_fma_register(gap, gap, sum.r[h]);
    }
  }
  return sum;
}

/* Bit i is set where lane i is below. */
IP_INLINE unsigned lanes_below(ip_lanes a, float limit)
{
#if defined __AVX512F__
  return _mm512_cmp_ps_mask((__m512)a.r[0], _mm512_set1_ps(limit), _CMP_LT_OQ);
#elif defined __AVX2__
  const __m256 most = _mm256_set1_ps(limit);

  return (unsigned)_mm256_movemask_ps(_mm256_cmp_ps((__m256)a.r[0], most, _CMP_LT_OQ)) |
         (unsigned)_mm256_movemask_ps(_mm256_cmp_ps((__m256)a.r[1], most, _CMP_LT_OQ)) << 8;
#else
  float lane[IP_LANES];
  unsigned below = 0;

  memcpy(lane, &a, sizeof lane);
  for (unsigned i = 0; i < IP_LANES; i++) below |= (unsigned)(lane[i] < limit) << i;
  return below;
#endif
}

/* Leaves of a block are bits: all of them; on the diagonal from that of the strip on. */
static unsigned all_leaves(const ip_kde_block *b, size_t row)
{
  const unsigned all = (1U << (b->columns + IP_LANES - 1) / IP_LANES) - 1;

  return b->row == b->column ? all & (~0U << row / IP_LANES) : all;
}

static void list_tiles(unsigned leaves, tiles *met)
{
  met->n = 0;
  for (; leaves; leaves &= leaves - 1)
    met->column[met->n++] = (uint32_t)__builtin_ctz(leaves) * IP_LANES;
}

/* Leaves whose boxes are near that of the strip at each noise variance, of[q], and at any. */
static unsigned near_boxes(const ip_kde_block *b, size_t row, unsigned of[])
{
  const unsigned all = all_leaves(b, row);
  const ip_lanes distance =
      box_distances(b->boxes, (b->row + row) / STRIP, b->column / IP_LANES);

  for (size_t q = 0; q < b->n_noise; q++) of[q] = all & lanes_below(distance, b->near[q]);
  return all & lanes_below(distance, b->any_near);
}

/* The least of each lane over the rows. */
IP_INLINE ip_lanes least_of(ip_lanes sum[STRIP])
{
  ip_lanes least = sum[0];

  EACH_ROW(r) IP_EACH(h) least.r[h] = ip_smaller(least.r[h], sum[r].r[h]);
  return least;
}

/* Squared distances of a strip and a vector of columns that begin at x and column go to out; the
   noises, bit q for variance q, at which some pair is near. Half of the units may be enough to see
   that there is none. */
IP_INLINE unsigned near_distances(const ip_kde_block *b, const float *x, const float *column,
                                  float *out)
{
  ip_lanes sum[STRIP] = {{{{0}}}}, least;
  unsigned near = 0;

  for (size_t u = 0; u < b->d; u++, x += b->stride, column += b->stride) {
    const ip_lanes there = ip_load(column);

    if (u == (b->d + 1) / 2 && lanes_below(least_of(sum), b->any_near) == 0) return 0;
    EACH_ROW(r)
    {
      const ip_lanes gap = ip_sub(there, ip_all(x[r]));

      sum[r] = ip_fma(gap, gap, sum[r]);
    }
  }
  EACH_ROW(r) ip_store_lanes(out + r * SIDE, sum[r]);
  least = least_of(sum);
  for (size_t q = 0; q < b->n_noise; q++)
    near |= (unsigned)(lanes_below(least, b->near[q]) != 0) << q;
  return near;
}

/* Of the leaves of near boxes, those without a near pair are taken out; their distances go to out. */
static unsigned near_samples(const ip_kde_block *b, size_t row, unsigned boxes, unsigned of[],
                             float *out)
{
  unsigned any = 0;

  for (unsigned left = boxes; left; left &= left - 1) {
    const unsigned v = (unsigned)__builtin_ctz(left), column = v * IP_LANES;
    const unsigned near =
        near_distances(b, b->t + b->row + row, b->t + b->column + column, out + column);

    for (size_t q = 0; q < b->n_noise; q++) of[q] &= ~((~near >> q & 1U) << v);
    any |= (unsigned)(near != 0) << v;
  }
  return any;
}

/* ---- exponentials ---- */

/* The same in every register: minus the steepness, what rounding cut off it, and where the kernel is
   cut off. */
typedef struct {
  ip_register minus, rest, far;
} slope;

/* Whether a kernel can be below 2^-31, which counts for its fourth power, or below 2^-86: where none
   can, the same bits come out without a look at it. */
typedef enum { ABOVE_31, ABOVE_86, ANY } depth;

/* 2^(j/8), j = 0 .. 7, less j 2^20 in its bits: those that j has in k 2^20 are added with the
   exponent. */
#define EIGHTHS                                                                                \
  1.0F, 0.982753873F, 0.969603539F, 0.960919797F, 0.957106769F, 0.958605409F, 0.965896428F,    \
      0.979504049F
static const float eighths[IP_LANES] __attribute__((aligned(64))) = {EIGHTHS, EIGHTHS};
#undef EIGHTHS

/* 2^-(steepness D), from below 2^-86 and exactly 1 at D = 0.  With -steepness D = k / 8 + f, |f| <=
   1/16: 2^(k/8), in single precision off by at most 3.2e-8 of it, times the polynomial of degree 3
   with least relative error (2.7e-8).  The steepness has twice the digits. */
IP_INLINE ip_register power_of(depth deep, const slope *s, ip_register d)
{
  const ip_register zero = {0}, magic = 1572864.0F - zero; /* adding it rounds to eighths */

  if (deep == ANY) d = ip_smaller(d, s->far);

  /* The low bits of `rounded` are k; those of magic fall off the top. */
  const ip_register rounded = ip_fma_register(d, s->minus, magic);
  const ip_register_int k = (ip_register_int)rounded;
  const ip_register at = (ip_register)((ip_register_int)ip_entry(eighths, k) + (k << 20));
  ip_register f = ip_fma_register(d, s->minus, magic - rounded), p = 0.0554962233F - zero;

  f = ip_fma_register(d, s->rest, f);
  p = ip_fma_register(p, f, 0.24025768F - zero);
  p = ip_fma_register(p, f, 0.693147242F - zero);
  return ip_fma_register(p, f * at, at);
}

static slope slope_of(float steepness, float rest)
{
  const ip_register zero = {0};

  return (slope){
      .minus = -steepness - zero, .rest = -rest - zero, .far = 86.0F / steepness - zero};
}

/* e^2, but not below 2^-62: no denormals in e^4, and nothing that could be seen in a sum. */
IP_INLINE ip_register square_of(depth deep, ip_register e)
{
  const ip_register c = deep == ABOVE_31 ? e : ip_larger(e, 0x1p-31F - (ip_register){0});

  return c * c;
}

/* Kernels of a strip and a vector of columns join their sums. */
IP_INLINE void add_tile(const ip_register e[STRIP], ip_register row[STRIP], ip_register *column)
{
  EACH_ROW(r) row[r] += e[r];
  *column += (e[0] + e[1]) + (e[2] + e[3]);
}

/* Where the distances of a strip come from: they were stored, or else its rows `here`, each number in
   all lanes, shape (n_stride[0], STRIP), meet the columns as they are needed. */
typedef struct {
  const float *stored, *column;
  const ip_register *here;
  size_t n_stride[2];
} source;

/* Squared distances of a strip to one register of columns. */
IP_INLINE void take_distances(const source *from, size_t at, ip_register sum[STRIP])
{
  const ip_register *here = from->here;
  const float *column = from->column + at;

  if (from->stored) {
    EACH_ROW(r) sum[r] = *(const ip_register *)(const void *)(from->stored + r * SIDE + at);
    return;
  }
  EACH_ROW(r) sum[r] = (ip_register){0};
  for (size_t u = 0; u < from->n_stride[0]; u++, column += from->n_stride[1], here += STRIP) {
    const ip_register there = *(const ip_register *)(const void *)column;

    EACH_ROW(r)
    {
      const ip_register gap = there - here[r];

      sum[r] = ip_fma_register(gap, gap, sum[r]);
    }
  }
}

/* Kernels of a strip of distances, register h of each vector: summed, and kept.  Chains of sums stay
   short. */
IP_INLINE void add_kernels_of(size_t h, depth deep, const source *from, const tiles *met,
                              const slope *s, strip_sums *sums)
{
  ip_register all[2][STRIP] = {{{0}}};
  float *keep = sums->keep;

  for (size_t k = 0; k < met->n;) {
    const size_t end = k + CHAIN < met->n ? k + CHAIN : met->n;
    ip_register row[2][STRIP] = {{{0}}};

    for (; k < end; k++) {
      const size_t at = met->column[k] + h * IP_WIDTH;
      ip_register e[2][STRIP];

      take_distances(from, at, e[0]);
      EACH_ROW(r)
      {
        e[0][r] = power_of(deep, s, e[0][r]);
        e[1][r] = square_of(deep, e[0][r]);
        e[1][r] *= e[1][r];
      }
#pragma GCC unroll 2
      for (size_t c = 0; c < 2; c++) {
        add_tile(e[c], row[c], (ip_register *)(void *)(sums->column[c] + at));
        if (keep)
          EACH_ROW(r) * (ip_register *)(void *)(keep + (c * STRIP + r) * SIDE + at) = e[c][r];
      }
    }
    EACH_ROW(r) all[0][r] += row[0][r], all[1][r] += row[1][r];
  }
  EACH_ROW(r) sums->row[0][r].r[h] = all[0][r], sums->row[1][r].r[h] = all[1][r];
}

/* Each form of the loop is compiled apart.  Stored distances come from layers with many noises or
   pairs left out, where looking costs little: they have one form only. */
IP_INLINE void add_kernels(depth deep, const source *from, const tiles *met, const slope *s,
                           strip_sums *sums)
{
  for (size_t h = 0; h < IP_REGISTERS; h++) {
    if (from->stored || deep == ANY)
      add_kernels_of(h, ANY, from, met, s, sums);
    else if (deep == ABOVE_86)
      add_kernels_of(h, ABOVE_86, from, met, s, sums);
    else
      add_kernels_of(h, ABOVE_31, from, met, s, sums);
  }
}

/* ---- sums ---- */

/* The sums of four rows. */
IP_INLINE void put_rows(const ip_lanes row[STRIP], float to[STRIP])
{
  const ip_four sum = ip_sum_four((const float *)(const void *)row);

  memcpy(to, &sum, sizeof sum);
}

/* Where the block's sums of one noise variance, bound c and weight (0: none, 1 + y: of class y)
   stand: along the rows; those along the columns follow. */
IP_INLINE float *sums_of(const ip_kde_block *b, size_t noise, size_t c, size_t weight)
{
  return b->sum + ((noise * 2 + c) * (1 + b->k) + weight) * 2 * SIDE;
}

/* Weighed sums of kept kernels of one strip, for one class and one bound, register h of each
   vector: along the rows with the weights of the columns, along the columns with those of the
   rows. */
IP_INLINE void weigh_of(size_t h, const float *kept, const float *const of_row_column[2],
                        const tiles *met, strip_sums *sums)
{
  const ip_register zero = {0};
  ip_register all[STRIP] = {{0}}, of_row[STRIP];

#pragma GCC unroll 4
  for (size_t r = 0; r < STRIP; r++) of_row[r] = of_row_column[0][r] - zero;
  for (size_t k = 0; k < met->n;) {
    const size_t end = k + CHAIN < met->n ? k + CHAIN : met->n;
    ip_register row[STRIP] = {{0}};

    for (; k < end; k++) {
      const size_t at = met->column[k] + h * IP_WIDTH;
      const ip_register w = *(const ip_register *)(const void *)(of_row_column[1] + at);
      ip_register *to = (ip_register *)(void *)(sums->column[0] + at), sum = zero;

#pragma GCC unroll 4
      for (size_t r = 0; r < STRIP; r++) {
        const ip_register e = *(const ip_register *)(const void *)(kept + r * SIDE + at);

        row[r] = ip_fma_register(e, w, row[r]);
        sum = ip_fma_register(e, of_row[r], sum);
      }
      *to += sum;
    }
#pragma GCC unroll 4
    for (size_t r = 0; r < STRIP; r++) all[r] += row[r];
  }
#pragma GCC unroll 4
  for (size_t r = 0; r < STRIP; r++) sums->row[0][r].r[h] = all[r];
}

static void weigh(const float *kept, const float *const of_row_column[2], const tiles *met,
                  strip_sums *sums)
{
  for (size_t h = 0; h < IP_REGISTERS; h++) weigh_of(h, kept, of_row_column, met, sums);
}

/* ---- blocks ---- */

/* One strip on the diagonal takes the vector it lies in along the rows only: all pairs within
   are met twice there. */
static void keep_diagonal(float *column, size_t v, float saved[IP_LANES], bool back)
{
  float *at = column + v * IP_LANES;

  memcpy(back ? at : saved, back ? saved : at, IP_LANES * sizeof *at);
}

/* How small a kernel of a block can be; past its ends are samples far away. */
static depth depth_of(const ip_kde_block *b, size_t noise)
{
  const float deepest = b->steepness[noise] * b->widest;
  const bool whole = b->rows % STRIP == 0 && b->columns % IP_LANES == 0;

  return !whole ? ANY : deepest < 30.9F ? ABOVE_31 : deepest < 85.9F ? ABOVE_86 : ANY;
}

/* Sums of one strip, whose kernels are kept where keep is not NULL. */
IP_INLINE void sum_strip(const ip_kde_block *b, size_t noise, size_t row, const source *from,
                         const tiles *met, float *keep)
{
  const bool diagonal = b->row == b->column;
  const slope s = slope_of(b->steepness[noise], b->rest[noise]);
  float saved[2][IP_LANES] = {{0.0F}};
  strip_sums sums;

  sums.keep = keep;
  for (size_t c = 0; c < 2; c++) {
    sums.column[c] = sums_of(b, noise, c, 0) + SIDE;
    if (diagonal) keep_diagonal(sums.column[c], row / IP_LANES, saved[c], false);
  }
  add_kernels(depth_of(b, noise), from, met, &s, &sums);
  for (size_t c = 0; c < 2; c++) {
    if (diagonal) keep_diagonal(sums.column[c], row / IP_LANES, saved[c], true);
    put_rows(sums.row[c], sums_of(b, noise, c, 0) + row);
  }
}

/* One noise and no class: each distance is used at once. */
static void sum_at_once(const ip_kde_block *b, size_t row, const tiles *all)
{
  ip_register here[CHUNK * STRIP];
  const float *x = b->t + b->row + row;
  const source from = {
      .column = b->t + b->column, .here = here, .n_stride = {b->d, b->stride}
  };

  for (size_t u = 0; u < b->d; u++, x += b->stride)
    EACH_ROW(r) here[u * STRIP + r] = x[r] - (ip_register){0};
  sum_strip(b, 0, row, &from, all, NULL);
}

/* A strip of stored distances, and the sums of every class. */
static void weigh_strip(const ip_kde_block *b, size_t noise, size_t row, const float *distance,
                        const tiles *met)
{
  const bool diagonal = b->row == b->column;
  float saved[IP_LANES], kept[2 * STRIP * SIDE] __attribute__((aligned(64)));
  strip_sums sums;

  sum_strip(b, noise, row, &(source){.stored = distance}, met, kept);
  for (size_t y = 0; y < b->k; y++)
    for (size_t c = 0; c < 2; c++) {
      const float *weight = b->weight + y * b->stride;
      float *to = sums_of(b, noise, c, 1 + y);

      sums.column[0] = to + SIDE;
      if (diagonal) keep_diagonal(sums.column[0], row / IP_LANES, saved, false);
      weigh(kept + c * STRIP * SIDE,
            (const float *const[2]){weight + b->row + row, weight + b->column}, met, &sums);
      if (diagonal) keep_diagonal(sums.column[0], row / IP_LANES, saved, true);
      put_rows(sums.row[0], to + row);
    }
}

/* Distances of all strips at once where a layer is wide, so that a chunk of units stays in
   cache; else of one strip. */
static void all_distances(const ip_kde_block *b)
{
  for (size_t u = 0; u < b->d; u += CHUNK) {
    const size_t unit[2] = {u, u + CHUNK < b->d ? u + CHUNK : b->d};

    for (size_t row = 0; row < b->rows; row += STRIP) {
      tiles met;

      list_tiles(all_leaves(b, row), &met);
      add_distances(b, row, &met, unit, b->distance + row * SIDE);
    }
  }
}

/* A strip with the leaves it meets at each noise variance; its distances are there. */
static void sum_stored(const ip_kde_block *b, size_t row, const unsigned of[],
                       const float *distance)
{
  for (size_t q = 0; q < b->n_noise; q++) {
    tiles met;

    list_tiles(of[q], &met);
    if (b->k > 0)
      weigh_strip(b, q, row, distance, &met);
    else
      sum_strip(b, q, row, &(source){.stored = distance}, &met, NULL);
  }
}

/* A strip with all that it meets, if there is anything. */
static bool sum_row(const ip_kde_block *b, size_t row)
{
  const size_t unit[2] = {0, b->d};
  float *distance = b->distance + (b->d > CHUNK ? row * SIDE : 0);
  unsigned of[IP_KDE_NOISES], any = all_leaves(b, row);
  tiles met;

  for (size_t q = 0; q < b->n_noise; q++) of[q] = any;
  if (b->boxes) any = near_boxes(b, row, of);
  if (any == 0) return false;
  if (b->boxes && b->d >= MANY_UNITS) {
    if (near_samples(b, row, any, of, distance) == 0) return false;
  } else if (b->d <= CHUNK) {
    list_tiles(any, &met);
    if (b->n_noise == 1 && b->k == 0) {
      sum_at_once(b, row, &met);
      return true;
    }
    add_distances(b, row, &met, unit, distance);
  }
  sum_stored(b, row, of, distance);
  return true;
}

/* Chains of sums in single precision stay short: from time to time those along the columns are
   moved on into double.  They come back at the end. */
static void move_columns(const ip_kde_block *b, bool back)
{
  const size_t sums = ip_kde_sums(b->n_noise, b->k) / (2 * SIDE);

  for (size_t a = 0; a < sums; a++) {
    float *first = b->sum + (2 * a + 1) * SIDE;
    double *second = b->second + a * SIDE;

    for (size_t i = 0; i < SIDE; i++) second[i] += (double)first[i];
    for (size_t i = 0; i < SIDE; i++) first[i] = back ? (float)second[i] : 0.0F;
  }
}

static void sum_block(const ip_kde_block *b)
{
  bool met = false;

  memset(b->sum, 0, ip_kde_sums(b->n_noise, b->k) * sizeof *b->sum);
  memset(b->second, 0, ip_kde_sums(b->n_noise, b->k) / 2 * sizeof *b->second);
  if (b->d > CHUNK) all_distances(b);
  for (size_t row = 0; row < b->rows; row += STRIP) {
    met |= sum_row(b, row);
    if (met && row / STRIP % CHAIN == CHAIN - 1) {
      move_columns(b, false);
      met = false;
    }
  }
  move_columns(b, true);
}

const ip_kde_kernels IP_OF_WIDTH(ip_kde_kernels) = {.sum_block = sum_block};
