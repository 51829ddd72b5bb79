/* Kernel sums over a block of pairs of samples.

     D = |t_i - t_j|^2,   e = exp(-D / (8 s)) for the lower bound,   e^4 for the upper.

   Four rows at a time: first their distances to all columns, then the exponentials, whose sums
   along the rows stay in registers and along the columns in the block's array.  Sixteen lanes add
   up in the tree of lanes.h. */

#include "kernels.h"
#include <float.h>
#include <infoplane/lanes.h>
#if defined __AVX2__
#include <immintrin.h>
#endif

enum { STRIP = IP_KDE_STRIP, SIDE = IP_KDE_BLOCK, CHUNK = 32 };

/* Sums along the rows of a strip and the columns of the block: [0] of e, [1] of e^4. */
typedef struct {
  ip_lanes row[2][STRIP];
  float *column[2];
} strip_sums;

/* ---- distances ---- */

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

/* Add the squared distances over units unit[0] .. unit[1] - 1 to out, shape (STRIP, SIDE); vectors
   v[0] .. v[1] - 1 of the columns. */
IP_INLINE void add_distances(const ip_kde_block *b, size_t row, const size_t v[2],
                             const size_t unit[2], float *out)
{
  const float *t = b->t + unit[0] * b->stride;
  const size_t n_stride[2] = {unit[1] - unit[0], b->stride};

  for (size_t i = v[0] * IP_LANES; i < v[1] * IP_LANES; i += IP_LANES)
    distances_to(t + b->row + row, t + b->column + i, n_stride, unit[0] > 0, out + i);
}

/* What lies past the ends of the block is far away. */
IP_INLINE void push_away(const ip_kde_block *b, size_t row, float *out)
{
  const size_t end = (b->columns + IP_LANES - 1) / IP_LANES * IP_LANES;

  for (size_t r = 0; r < STRIP; r++)
    for (size_t i = row + r < b->rows ? b->columns : 0; i < end; i++)
      out[r * SIDE + i] = FLT_MAX;
}

/* ---- exponentials ---- */

/* The smaller and the larger of floats that are not negative, which order as their bits do.  Of
   the masks of vector types gcc 12 makes three instructions, of a loop over lanes one only here
   and there: the wide registers say it themselves. */
IP_INLINE ip_register smaller(ip_register a, ip_register b)
{
#if defined __AVX512F__
  return (ip_register)_mm512_min_ps((__m512)a, (__m512)b);
#elif defined __AVX2__
  return (ip_register)_mm256_min_ps((__m256)a, (__m256)b);
#else
  const ip_register_int x = (ip_register_int)a, y = (ip_register_int)b, first = x < y;

  return (ip_register)((x & first) | (y & ~first));
#endif
}

IP_INLINE ip_register larger(ip_register a, ip_register b)
{
#if defined __AVX512F__
  return (ip_register)_mm512_max_ps((__m512)a, (__m512)b);
#elif defined __AVX2__
  return (ip_register)_mm256_max_ps((__m256)a, (__m256)b);
#else
  const ip_register_int x = (ip_register_int)a, y = (ip_register_int)b, first = x > y;

  return (ip_register)((x & first) | (y & ~first));
#endif
}

/* 2^-(steepness D), from below 2^-86 and exactly 1 at D = 0: 2^f by the polynomial of degree 5
   with least relative error (1e-7, of either sign) on |f| <= 1/2. */
IP_INLINE ip_register power(ip_register distance, ip_register minus_steepness, ip_register far)
{
  const ip_register zero = {0}, magic = 12582912.0F - zero; /* adding it rounds */
  const ip_register d = smaller(distance, far);
  const ip_register rounded = ip_fma_register(d, minus_steepness, magic);
  const ip_register f = ip_fma_register(d, minus_steepness, magic - rounded);
  ip_register p = 1.32647273e-3F - zero;

  p = ip_fma_register(p, f, 9.67151299e-3F - zero);
  p = ip_fma_register(p, f, 5.55073358e-2F - zero);
  p = ip_fma_register(p, f, 0.240222424F - zero);
  p = ip_fma_register(p, f, 0.693147004F - zero);
  p = ip_fma_register(p, f, 1.0F - zero);
  /* The low bits of `rounded` are the exponent; those of magic fall off the top. */
  return (ip_register)((ip_register_int)p + ((ip_register_int)rounded << 23));
}

/* e^4, but not below 2^-124: no denormals, and nothing that could be seen in a sum. */
IP_INLINE ip_register fourth(ip_register e)
{
  const ip_register zero = {0}, c = larger(e, 0x1p-31F - zero), square = c * c;

  return square * square;
}

/* Kernels of a strip of distances, register h of each vector; summed, and kept (shape (2, STRIP,
   SIDE)) where keep is not NULL. */
IP_INLINE void add_kernels_of(size_t h, const float *distance, const size_t v[2],
                              float steepness, strip_sums *sums, float *keep)
{
  const ip_register zero = {0}, minus = -steepness - zero, far = 86.0F / steepness - zero;
  ip_register row[2][STRIP] = {{{0}}};

  for (size_t i = v[0] * IP_LANES + h * IP_WIDTH; i < v[1] * IP_LANES; i += IP_LANES) {
    ip_register *c0 = (ip_register *)(void *)(sums->column[0] + i),
                *c1 = (ip_register *)(void *)(sums->column[1] + i), sum0 = *c0, sum1 = *c1;

#pragma GCC unroll 4
    for (size_t r = 0; r < STRIP; r++) {
      const float *d = distance + r * SIDE + i;
      const ip_register e = power(*(const ip_register *)(const void *)d, minus, far);
      const ip_register e4 = fourth(e);

      row[0][r] += e, row[1][r] += e4;
      sum0 += e, sum1 += e4;
      if (keep) {
        *(ip_register *)(void *)(keep + r * SIDE + i) = e;
        *(ip_register *)(void *)(keep + (STRIP + r) * SIDE + i) = e4;
      }
    }
    *c0 = sum0, *c1 = sum1;
  }
#pragma GCC unroll 4
  for (size_t r = 0; r < STRIP; r++)
    sums->row[0][r].r[h] = row[0][r], sums->row[1][r].r[h] = row[1][r];
}

IP_INLINE void add_kernels(const float *distance, const size_t v[2], float steepness,
                           strip_sums *sums, float *keep)
{
  for (size_t h = 0; h < IP_REGISTERS; h++)
    add_kernels_of(h, distance, v, steepness, sums, keep);
}

/* ---- sums ---- */

typedef float four __attribute__((vector_size(16)));

/* Lanes i, i + 8, then i + 4: the first half of the tree of ip_sum_lanes. */
IP_INLINE four fold(ip_lanes a)
{
  four q[4];

  memcpy(q, &a, sizeof q);
  return (q[0] + q[2]) + (q[1] + q[3]);
}

/* The sums of four rows. */
IP_INLINE void put_rows(const ip_lanes row[STRIP], float to[STRIP])
{
  four q[STRIP];

  for (int r = 0; r < STRIP; r++) q[r] = fold(row[r]);
  for (int r = 0; r < STRIP; r++) to[r] = (q[r][0] + q[r][2]) + (q[r][1] + q[r][3]);
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
                        const size_t v[2], strip_sums *sums)
{
  const ip_register zero = {0};
  ip_register row[STRIP] = {{0}}, of_row[STRIP];

#pragma GCC unroll 4
  for (size_t r = 0; r < STRIP; r++) of_row[r] = of_row_column[0][r] - zero;
  for (size_t i = v[0] * IP_LANES + h * IP_WIDTH; i < v[1] * IP_LANES; i += IP_LANES) {
    const ip_register w = *(const ip_register *)(const void *)(of_row_column[1] + i);
    ip_register *to = (ip_register *)(void *)(sums->column[0] + i), sum = *to;

#pragma GCC unroll 4
    for (size_t r = 0; r < STRIP; r++) {
      const ip_register e = *(const ip_register *)(const void *)(kept + r * SIDE + i);

      row[r] = ip_fma_register(e, w, row[r]);
      sum = ip_fma_register(e, of_row[r], sum);
    }
    *to = sum;
  }
#pragma GCC unroll 4
  for (size_t r = 0; r < STRIP; r++) sums->row[0][r].r[h] = row[r];
}

IP_INLINE void weigh(const float *kept, const float *const of_row_column[2], const size_t v[2],
                     strip_sums *sums)
{
  for (size_t h = 0; h < IP_REGISTERS; h++) weigh_of(h, kept, of_row_column, v, sums);
}

/* ---- blocks ---- */

/* One strip on the diagonal takes the vector it lies in along the rows only: all pairs within
   are met twice there. */
static void keep_diagonal(float *column, size_t v, float saved[IP_LANES], bool back)
{
  float *at = column + v * IP_LANES;

  memcpy(back ? at : saved, back ? saved : at, IP_LANES * sizeof *at);
}

/* Sums of one strip, whose kernels are kept where keep is not NULL. */
IP_INLINE void sum_strip(const ip_kde_block *b, size_t noise, size_t row, const float *distance,
                         float *keep)
{
  const bool diagonal = b->row == b->column;
  const size_t v[2] = {diagonal ? row / IP_LANES : 0, (b->columns + IP_LANES - 1) / IP_LANES};
  float saved[2][IP_LANES];
  strip_sums sums;

  for (size_t c = 0; c < 2; c++) {
    sums.column[c] = sums_of(b, noise, c, 0) + SIDE;
    if (diagonal) keep_diagonal(sums.column[c], v[0], saved[c], false);
  }
  add_kernels(distance, v, b->steepness[noise], &sums, keep);
  for (size_t c = 0; c < 2; c++) {
    if (diagonal) keep_diagonal(sums.column[c], v[0], saved[c], true);
    put_rows(sums.row[c], sums_of(b, noise, c, 0) + row);
  }
}

/* The same with the sums of every class. */
static void weigh_strip(const ip_kde_block *b, size_t noise, size_t row, const float *distance)
{
  const bool diagonal = b->row == b->column;
  const size_t v[2] = {diagonal ? row / IP_LANES : 0, (b->columns + IP_LANES - 1) / IP_LANES};
  float saved[IP_LANES], kept[2 * STRIP * SIDE] __attribute__((aligned(64)));
  strip_sums sums;

  sum_strip(b, noise, row, distance, kept);
  for (size_t y = 0; y < b->k; y++)
    for (size_t c = 0; c < 2; c++) {
      const float *weight = b->weight + y * b->stride;
      float *to = sums_of(b, noise, c, 1 + y);

      sums.column[0] = to + SIDE;
      if (diagonal) keep_diagonal(sums.column[0], v[0], saved, false);
      weigh(kept + c * STRIP * SIDE,
            (const float *const[2]){weight + b->row + row, weight + b->column}, v, &sums);
      if (diagonal) keep_diagonal(sums.column[0], v[0], saved, true);
      put_rows(sums.row[0], to + row);
    }
}

/* Distances of all strips at once where a layer is wide, so that a chunk of units stays in
   cache; else of one strip. */
static void all_distances(const ip_kde_block *b)
{
  const size_t vectors = (b->columns + IP_LANES - 1) / IP_LANES;

  for (size_t u = 0; u < b->d; u += CHUNK) {
    const size_t unit[2] = {u, u + CHUNK < b->d ? u + CHUNK : b->d};

    for (size_t row = 0; row < b->rows; row += STRIP) {
      const size_t v[2] = {b->row == b->column ? row / IP_LANES : 0, vectors};

      add_distances(b, row, v, unit, b->distance + row * SIDE);
    }
  }
}

static void strip_distances(const ip_kde_block *b, size_t row, float *out)
{
  const size_t v[2] = {b->row == b->column ? row / IP_LANES : 0,
                       (b->columns + IP_LANES - 1) / IP_LANES};
  const size_t unit[2] = {0, b->d};

  add_distances(b, row, v, unit, out);
}

static void sum_block(const ip_kde_block *b)
{
  memset(b->sum, 0, ip_kde_sums(b->n_noise, b->k) * sizeof *b->sum);
  if (b->d > CHUNK) all_distances(b);
  for (size_t row = 0; row < b->rows; row += STRIP) {
    float *distance = b->distance + (b->d > CHUNK ? row * SIDE : 0);

    if (b->d <= CHUNK) strip_distances(b, row, distance);
    if (row + STRIP > b->rows || b->columns % IP_LANES) push_away(b, row, distance);
    for (size_t q = 0; q < b->n_noise; q++) {
      if (b->k > 0)
        weigh_strip(b, q, row, distance);
      else
        sum_strip(b, q, row, distance, NULL);
    }
  }
}

const ip_kde_kernels IP_KERNEL_NAME(ip_kde_kernels, IP_ISA_SUFFIX) = {.sum_block = sum_block};
