/* Matrix products over lanes, gathering of samples, optimizer steps.

   Tiles of registers: ROWS outputs by GROUPS of 16 lanes stay in registers while the terms of
   the sum go by, in the order of their index.  Terms go in blocks that stay in the first cache;
   between blocks the sums rest in the output, which changes no bit. */

#include "kernels.h"
#include <infoplane/lanes.h>

/* As many sums as the registers hold: they hide the latency of the FMA and share its loads. */
#if defined __AVX512F__
enum { ROWS = 4, GROUPS = 4, OUTER_UNITS = 4, OUTER_INPUTS = 4 };
#else
enum { ROWS = 3, GROUPS = 2, OUTER_UNITS = 3, OUTER_INPUTS = 2 };
#endif
enum { LARGEST = 4 };            /* tile, either way */
enum { TERMS = 64, BLOCK = 16 }; /* inputs at a time, forward and in the gradient */

/* ---- product ----------------------------------------------------------------------------- */

IP_INLINE void product_tile(const ip_product *p, size_t row, size_t lane, size_t term,
                            size_t rows, size_t groups)
{
  const size_t end = term + TERMS < p->terms ? term + TERMS : p->terms;
  ip_lanes sum[LARGEST][LARGEST], in[LARGEST];
  float *out = p->out + row * p->stride + lane;

#pragma GCC unroll 4
  for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 4
    for (size_t g = 0; g < groups; g++)
      sum[r][g] = term > 0 ? ip_load(out + r * p->stride + g * IP_LANES)
                           : ip_all(p->start ? p->start[row + r] : 0.0F);
  for (size_t t = term; t < end; t++) {
    const float *a = p->in + t * p->stride + lane;
    const float *w = p->weight + row * p->row_step + t * p->term_step;

#pragma GCC unroll 4
    for (size_t g = 0; g < groups; g++) in[g] = ip_load(a + g * IP_LANES);
#pragma GCC unroll 4
    for (size_t r = 0; r < rows; r++) {
      const ip_lanes weight = ip_all(w[r * p->row_step]);

#pragma GCC unroll 4
      for (size_t g = 0; g < groups; g++) sum[r][g] = ip_fma(weight, in[g], sum[r][g]);
    }
  }
#pragma GCC unroll 4
  for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 4
    for (size_t g = 0; g < groups; g++)
      ip_store_lanes(out + r * p->stride + g * IP_LANES, sum[r][g]);
}

/* The rows that fill no whole tile. */
IP_INLINE void product_rest(const ip_product *p, size_t row, size_t lane, size_t term,
                            size_t groups)
{
  switch (p->rows - row) {
  case 3:
    product_tile(p, row, lane, term, 3, groups);
    break;
  case 2:
    product_tile(p, row, lane, term, 2, groups);
    break;
  case 1:
    product_tile(p, row, lane, term, 1, groups);
    break;
  default:
    break;
  }
}

/* All rows of some groups of lanes. */
IP_INLINE void product_rows(const ip_product *p, size_t lane, size_t groups)
{
  for (size_t term = 0; term == 0 || term < p->terms; term += TERMS) {
    size_t row = 0;

    for (; row + ROWS <= p->rows; row += ROWS) product_tile(p, row, lane, term, ROWS, groups);
    product_rest(p, row, lane, term, groups);
  }
}

static void product(const ip_product *p)
{
  size_t lane = 0;

  for (; lane + (size_t)GROUPS * IP_LANES <= p->lanes; lane += (size_t)GROUPS * IP_LANES)
    product_rows(p, lane, GROUPS);
  for (; lane < p->lanes; lane += IP_LANES) product_rows(p, lane, 1);
}

/* ---- outer product, summed over the samples ---------------------------------------------- */

/* Inputs in the block that one of them is in. */
IP_INLINE size_t inputs_of_block(const ip_outer *p, size_t input)
{
  const size_t left = p->inputs - input / BLOCK * BLOCK;

  return left < BLOCK ? left : BLOCK;
}

/* Sums of a tile, lane by lane, into their places of lanes[unit][input], a row of which is that of a
   block. */
IP_INLINE void outer_tile(const ip_outer *p, size_t unit, size_t input, size_t units,
                          size_t inputs, float *lanes)
{
  const size_t row = inputs_of_block(p, input) * IP_LANES;
  const float *delta = p->delta + unit * p->stride, *a = p->a + input * p->stride;
  ip_lanes sum[LARGEST][LARGEST], in[LARGEST];

#pragma GCC unroll 4
  for (size_t o = 0; o < units; o++)
#pragma GCC unroll 4
    for (size_t i = 0; i < inputs; i++) sum[o][i] = ip_all(0.0F);
  for (size_t s = 0; s < p->lanes; s += IP_LANES) {
#pragma GCC unroll 4
    for (size_t i = 0; i < inputs; i++) in[i] = ip_load(a + i * p->stride + s);
#pragma GCC unroll 4
    for (size_t o = 0; o < units; o++) {
      const ip_lanes d = ip_load(delta + o * p->stride + s);

#pragma GCC unroll 4
      for (size_t i = 0; i < inputs; i++) sum[o][i] = ip_fma(d, in[i], sum[o][i]);
    }
  }
#pragma GCC unroll 4
  for (size_t o = 0; o < units; o++)
#pragma GCC unroll 4
    for (size_t i = 0; i < inputs; i++)
      ip_store_lanes(lanes + o * row + i * IP_LANES, sum[o][i]);
}

/* Sum the lanes of n neighbors. */
static void add_lanes(size_t n, const float *lanes, float *to)
{
  size_t i = 0;

  for (; i + IP_LANES <= n; i += IP_LANES) ip_sum_sixteen(lanes + i * IP_LANES, to + i);
  for (; i + 4 <= n; i += 4) {
    const ip_four sum = ip_sum_four(lanes + i * IP_LANES);

    memcpy(to + i, &sum, sizeof sum);
  }
  for (; i < n; i++) to[i] = ip_sum_lanes(ip_load(lanes + i * IP_LANES));
}

/* The inputs that fill no whole tile. */
IP_INLINE void outer_rest(const ip_outer *p, size_t unit, size_t input, size_t units,
                          size_t rest, float *lanes)
{
  switch (rest) {
  case 3:
    outer_tile(p, unit, input, units, 3, lanes);
    break;
  case 2:
    outer_tile(p, unit, input, units, 2, lanes);
    break;
  case 1:
    outer_tile(p, unit, input, units, 1, lanes);
    break;
  default:
    break;
  }
}

/* Some units, up to BLOCK inputs. */
IP_INLINE void outer_block(const ip_outer *p, size_t unit, size_t begin, size_t units)
{
  _Alignas(64) float lanes[LARGEST * BLOCK * IP_LANES];
  const size_t n = inputs_of_block(p, begin);
  float *weight = p->weight + unit * p->inputs + begin;
  size_t i = 0;

  for (; i + OUTER_INPUTS <= n; i += OUTER_INPUTS)
    outer_tile(p, unit, begin + i, units, OUTER_INPUTS, lanes + i * IP_LANES);
  outer_rest(p, unit, begin + i, units, n - i, lanes + i * IP_LANES);
  if (n == p->inputs) { /* the weights of these units are neighbors */
    add_lanes(units * n, lanes, weight);
    return;
  }
  for (size_t o = 0; o < units; o++)
    add_lanes(n, lanes + o * n * IP_LANES, weight + o * p->inputs);
}

/* The units that fill no whole tile. */
static void outer_units_rest(const ip_outer *p, size_t unit, size_t input)
{
  switch (p->units - unit) {
  case 3:
    outer_block(p, unit, input, 3);
    break;
  case 2:
    outer_block(p, unit, input, 2);
    break;
  case 1:
    outer_block(p, unit, input, 1);
    break;
  default:
    break;
  }
}

/* Sums of up to four rows side by side, since each waits for its own last addition. */
static void outer_bias(const ip_outer *p, size_t unit, size_t n)
{
  _Alignas(64) float lanes[4 * IP_LANES];
  const float *row[4];
  ip_lanes sum[4];

  for (size_t o = 0; o < 4; o++) row[o] = p->delta + (unit + (o < n ? o : 0)) * p->stride;
#pragma GCC unroll 4
  for (size_t o = 0; o < 4; o++) sum[o] = ip_load(row[o]);
  for (size_t s = IP_LANES; s < p->lanes; s += IP_LANES) {
#pragma GCC unroll 4
    for (size_t o = 0; o < 4; o++) sum[o] = ip_add(sum[o], ip_load(row[o] + s));
  }
#pragma GCC unroll 4
  for (size_t o = 0; o < 4; o++) ip_store_lanes(lanes + o * IP_LANES, sum[o]);
  add_lanes(n, lanes, p->bias + unit);
}

static void outer(const ip_outer *p)
{
  for (size_t input = 0; input < p->inputs; input += BLOCK) {
    size_t unit = 0;

    for (; unit + OUTER_UNITS <= p->units; unit += OUTER_UNITS)
      outer_block(p, unit, input, OUTER_UNITS);
    outer_units_rest(p, unit, input);
  }
  for (size_t unit = 0; unit < p->units; unit += 4)
    outer_bias(p, unit, p->units - unit < 4 ? p->units - unit : 4);
}

/* ---- samples into lanes ------------------------------------------------------------------ */

/* Four samples: blocks of four by four are turned in registers. */
IP_INLINE void gather_four(const float *const from[4], size_t d, size_t stride, float *to)
{
  size_t i = 0;

  for (; i + 4 <= d; i += 4) {
    ip_four v[4];

    for (size_t s = 0; s < 4; s++) memcpy(&v[s], from[s] + i, sizeof v[s]);
    ip_transpose_four(v);
    for (size_t j = 0; j < 4; j++) memcpy(to + (i + j) * stride, &v[j], sizeof v[j]);
  }
  for (; i < d; i++)
    for (size_t s = 0; s < 4; s++) to[i * stride + s] = from[s][i];
}

#if defined __AVX2__
/* Features i .. i + 3 of samples index[0], index[4], ..., side by side. */
IP_INLINE ip_register fours(const uint32_t index[], size_t d, const float *x)
{
#if defined __AVX512F__
  __m512 v = _mm512_castps128_ps512(_mm_loadu_ps(x + index[0] * d));

  v = _mm512_insertf32x4(v, _mm_loadu_ps(x + index[4] * d), 1);
  v = _mm512_insertf32x4(v, _mm_loadu_ps(x + index[8] * d), 2);
  return (ip_register)_mm512_insertf32x4(v, _mm_loadu_ps(x + index[12] * d), 3);
#else
  const __m256 v = _mm256_castps128_ps256(_mm_loadu_ps(x + index[0] * d));

  return (ip_register)_mm256_insertf128_ps(v, _mm_loadu_ps(x + index[4] * d), 1);
#endif
}

/* Within each four lanes of the registers, rows become columns. */
IP_INLINE void transpose_fours(ip_register v[4])
{
#if defined __AVX512F__
#define IN_FOURS(name, ...) (ip_register) _mm512_##name##_ps(__VA_ARGS__)
  typedef __m512 wide;
#else
#define IN_FOURS(name, ...) (ip_register) _mm256_##name##_ps(__VA_ARGS__)
  typedef __m256 wide;
#endif
  const ip_register a = IN_FOURS(unpacklo, (wide)v[0], (wide)v[1]),
                    b = IN_FOURS(unpacklo, (wide)v[2], (wide)v[3]),
                    c = IN_FOURS(unpackhi, (wide)v[0], (wide)v[1]),
                    e = IN_FOURS(unpackhi, (wide)v[2], (wide)v[3]);

  v[0] = IN_FOURS(shuffle, (wide)a, (wide)b, 0x44);
  v[1] = IN_FOURS(shuffle, (wide)a, (wide)b, 0xee);
  v[2] = IN_FOURS(shuffle, (wide)c, (wide)e, 0x44);
  v[3] = IN_FOURS(shuffle, (wide)c, (wide)e, 0xee);
#undef IN_FOURS
}

/* As many samples as a register has lanes. */
IP_INLINE void gather_register(const uint32_t index[], size_t d, const float *x, size_t stride,
                               float *to)
{
  size_t i = 0;

  for (; i + 4 <= d; i += 4) {
    ip_register v[4];

    for (size_t s = 0; s < 4; s++) v[s] = fours(index + s, d, x + i);
    transpose_fours(v);
    for (size_t j = 0; j < 4; j++) memcpy(to + (i + j) * stride, &v[j], sizeof v[j]);
  }
  for (; i < d; i++)
    for (size_t s = 0; s < IP_WIDTH; s++) to[i * stride + s] = x[(size_t)index[s] * d + i];
}
#endif

static void gather(size_t m, const uint32_t index[], size_t d, const float x[], size_t stride,
                   float to[])
{
  size_t s = 0;

#if defined __AVX2__
  for (; s + IP_WIDTH <= m; s += IP_WIDTH) gather_register(index + s, d, x, stride, to + s);
#endif
  for (; s + 4 <= m; s += 4) {
    const float *const from[4] = {x + (size_t)index[s] * d, x + (size_t)index[s + 1] * d,
                                  x + (size_t)index[s + 2] * d, x + (size_t)index[s + 3] * d};

    gather_four(from, d, stride, to + s);
  }
  for (; s < m; s++)
    for (size_t i = 0; i < d; i++) to[i * stride + s] = x[(size_t)index[s] * d + i];
  for (; s % IP_LANES != 0; s++)
    for (size_t i = 0; i < d; i++) to[i * stride + s] = 0.0F;
}

/* ---- optimizers: PyTorch's formulas ------------------------------------------------------ */

static const float beta1 = 0.9F, beta2 = 0.999F, rest1 = 0.1F, rest2 = 0.001F, epsilon = 1e-8F;

IP_INLINE ip_lanes square_root(ip_lanes a)
{
  IP_EACH(i) for (int j = 0; j < IP_WIDTH; j++) a.r[i][j] = __builtin_sqrtf(a.r[i][j]);
  return a;
}

/* g + decay p */
IP_INLINE ip_lanes decayed(const ip_step *p, size_t i)
{
  return ip_fma(ip_all(p->decay), ip_load(p->parameter + i), ip_load(p->gradient + i));
}

/* p -= rate by */
IP_INLINE void descend(const ip_step *p, size_t i, ip_lanes by)
{
  ip_store_lanes(p->parameter + i, ip_fma(ip_all(-p->rate), by, ip_load(p->parameter + i)));
}

static void adam(const ip_step *p)
{
  for (size_t i = 0; i < p->n; i += IP_LANES) {
    const ip_lanes g = decayed(p, i);
    const ip_lanes m = ip_fma(ip_all(beta1), ip_load(p->first + i), ip_mul(ip_all(rest1), g));
    const ip_lanes v =
        ip_fma(ip_all(beta2), ip_load(p->second + i), ip_mul(ip_mul(ip_all(rest2), g), g));

    ip_store_lanes(p->first + i, m);
    ip_store_lanes(p->second + i, v);
    descend(p, i, ip_div(m, ip_fma(square_root(v), ip_all(p->root), ip_all(epsilon))));
  }
}

static void momentum(const ip_step *p)
{
  for (size_t i = 0; i < p->n; i += IP_LANES) {
    const ip_lanes v = ip_fma(ip_all(p->momentum), ip_load(p->first + i), decayed(p, i));

    ip_store_lanes(p->first + i, v);
    descend(p, i, v);
  }
}

static void step(const ip_step *p)
{
  switch (p->optimizer) {
  case IP_OPTIMIZER_ADAM:
    adam(p);
    break;
  case IP_OPTIMIZER_MOMENTUM:
    momentum(p);
    break;
  case IP_OPTIMIZER_SGD:
  default:
    for (size_t i = 0; i < p->n; i += IP_LANES) descend(p, i, decayed(p, i));
  }
}

const ip_product_kernels IP_OF_WIDTH(ip_product_kernels) = {
    .product = product, .outer = outer, .gather = gather, .step = step};
