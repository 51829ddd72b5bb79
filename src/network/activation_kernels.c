/* Activations, their slopes, and the output layer, sixteen samples at a time.

   tanh is a polynomial, of eight one; the others rest on e^y - 1 by reduction: y = n ln 2 + r, |r| <= ln 2 / 2, q = e^r - 1 = r + r^2 P(r),
   P a minimax polynomial of degree 4 (relative error of q 1.4e-8);
   e^y = 2^n q + 2^n,  e^y - 1 = 2^n q + (2^n - 1), each rounded once. */

#include "kernels.h"
#include <infoplane/lanes.h>

typedef ip_register reg;
typedef ip_register_int mask;

IP_INLINE reg all(float value)
{
  return value - (reg){0};
}

IP_INLINE reg pick(mask where, reg a, reg b)
{
  return (reg)(((mask)a & where) | ((mask)b & ~where));
}

IP_INLINE reg magnitude(reg x)
{
  return (reg)((mask)x & 0x7fffffff);
}

IP_INLINE reg signed_as(reg a, reg sign)
{
  return (reg)((mask)a | ((mask)sign & ~0x7fffffff));
}

/* For -87 <= y <= 0: q = e^r - 1 and s = 2^n.  NaN gives q = NaN. */
IP_INLINE reg reduced(reg y, reg *s)
{
  const float magic = 12582912.0F; /* 1.5 2^23: adding it rounds to a whole number */
  const reg shifted = ip_fma_register(y, all(1.44269504F), all(magic));
  const reg n = shifted - magic;
  reg r = ip_fma_register(n, all(-0.693145752F), y);
  reg p = all(0.00138823956F);

  r = ip_fma_register(n, all(-1.42860677e-6F), r);
  p = ip_fma_register(p, r, all(0.00836718082F));
  p = ip_fma_register(p, r, all(0.041667223F));
  p = ip_fma_register(p, r, all(0.16666539F));
  p = ip_fma_register(p, r, all(0.49999997F));
  /* The low bits of `shifted` are n. */
  *s = (reg)(((mask)shifted << 23) + 0x3f800000);
  return ip_fma_register(p, r * r, r);
}

/* -|x| */
IP_INLINE reg negative(reg x)
{
  return (reg)((mask)x | ~0x7fffffff);
}

/* y <= 0, no lower than -87, where e^y is 2e-38 and beside anything nothing; NaN stays NaN. */
IP_INLINE reg bounded(reg y)
{
  return pick(y < all(-87.0F), all(-87.0F), y);
}

/* e^y for y <= 0. */
IP_INLINE reg exp_negative(reg y)
{
  reg s;
  const reg q = reduced(bounded(y), &s);

  return ip_fma_register(s, q, s);
}

/* ---- value: phi(z); slope: phi'(z) from a = phi(z) --------------------------------------- */

/* Of tanh x, x >= 0, in eight pieces that begin at 0, 0.75, 1, 1.5, 2, 3, 4 and 6: first the
   middle m of each, then polynomials in x - m, from the power 7 down to 0, in the first one of
   tanh x / x - 1, in the others of 1 - tanh x.  They are minimax (fpminimax of Sollya), off by at
   most 0.4 units of 2^-24.  The last m is where tanh x is 1 - 2^-25: there the last one is exact,
   so that tanh reaches 1 where the true one rounds to it. */
enum { TANH_DEGREE = 7 };

static const float tanh_piece[1 + TANH_DEGREE + 1][IP_LANES] __attribute__((aligned(64))) = {
#define ROW(a, b, c, d, e, f, g, h)                                                            \
  {                                                                                            \
    e, f, g, h, a, b, c, d, e, f, g, h, a, b, c, d                                             \
  }
    ROW(0.0F, 0.875F, 1.25F, 1.75F, 2.5F, 3.5F, 5.0F, 9.0109129F),
    ROW(0.0245607272F, -0.0125030633F, 0.00403093966F, 0.0019848193F, -5.91614298e-05F,
        -4.18895288e-05F, -2.62369463e-06F, -2.04136636e-08F),
    ROW(-0.0636736229F, 0.00680646999F, -0.01531645F, -0.00207720511F, 0.000698271906F,
        0.000157226983F, 9.25796485e-06F, -1.40809888e-07F),
    ROW(1.81390569e-05F, 0.0588945858F, 0.0192524977F, -0.00369953713F, -0.00286159595F,
        -0.000472046842F, -2.38914381e-05F, -4.52243114e-07F),
    ROW(0.13436614F, -0.0613366291F, 0.0126095945F, 0.0235225298F, 0.00805111043F,
        0.00119748502F, 5.97180442e-05F, -6.82532971e-07F),
    ROW(-0.000260598084F, -0.0818077177F, -0.108312577F, -0.0629214346F, -0.0170206614F,
        -0.00241401722F, -0.000121116158F, -6.12929512e-07F),
    ROW(-0.33331427F, 0.355136514F, 0.237870574F, 0.107139908F, 0.0262361076F, 0.00363428565F,
        0.00018172244F, -1.58057958e-07F),
    ROW(0.0F, -0.5045169F, -0.28041485F, -0.113812096F, -0.0265922341F, -0.0036408843F,
        -0.000181574665F, -8.73009398e-08F),
    ROW(0.0F, 0.296094388F, 0.151716366F, 0.0586244613F, 0.0133857029F, 0.00182210212F,
        9.0790847e-05F, 2.98023473e-08F),
#undef ROW
};

/* The upper bits of a float in [0.5, 8), down to the second of its fraction, count the pieces; those
   of 0.5 end in 100, so that a row of the table begins with the fifth piece. */
IP_INLINE reg value_tanh(reg z)
{
  const reg x = ip_smaller(all(9.02F), magnitude(z)), second = all(0.75F), one = all(1.0F);
  const mask piece = (mask)ip_larger(ip_smaller(x, all(7.0F)), all(0.5F)) >> 22;
  const reg t = x - ip_entry(tanh_piece[0], piece);
  reg p = ip_entry(tanh_piece[1], piece);

#pragma GCC unroll 8
  for (size_t i = 2; i < 2 + TANH_DEGREE; i++)
    p = ip_fma_register(p, t, ip_entry(tanh_piece[i], piece));
  p = ip_fma_register(p, ip_where_from(x, second, -one, x), ip_where_from(x, second, one, x));
  return signed_as(p, z);
}

IP_INLINE reg slope_tanh(reg a)
{
  return ip_fma_register(-a, a, all(1.0F));
}

IP_INLINE reg value_relu(reg z)
{
  return pick(z <= all(0.0F), all(0.0F), z);
}

IP_INLINE reg slope_relu(reg a)
{
  return (reg)((mask)all(1.0F) & (a > all(0.0F)));
}

IP_INLINE reg value_sigmoid(reg z)
{
  const reg e = exp_negative(negative(z));

  return pick(z < all(0.0F), e, all(1.0F)) / (1.0F + e);
}

IP_INLINE reg slope_sigmoid(reg a)
{
  return a * (1.0F - a);
}

IP_INLINE reg value_softsign(reg z)
{
  return z / (1.0F + magnitude(z));
}

IP_INLINE reg slope_softsign(reg a)
{
  const reg rest = 1.0F - magnitude(a);

  return rest * rest;
}

/* max(z, 0) + ln(1 + e), e = e^-|z|; ln(1 + e) = 2 artanh(e / (2 + e)), its series refitted. */
IP_INLINE reg value_softplus(reg z)
{
  const reg e = exp_negative(negative(z)), t = e / (2.0F + e), w = t * t;
  reg p = all(0.121541642F);

  p = ip_fma_register(p, w, all(0.107129253F));
  p = ip_fma_register(p, w, all(0.143085182F));
  p = ip_fma_register(p, w, all(0.19999437F));
  p = ip_fma_register(p, w, all(0.333333373F));
  return value_relu(z) + ip_fma_register(p * w, t + t, t + t);
}

/* 1 - e^-a */
IP_INLINE reg slope_softplus(reg a)
{
  reg s;
  const reg q = reduced(bounded(-a), &s);

  return -ip_fma_register(s, q, s - 1.0F);
}

IP_INLINE reg value_linear(reg z)
{
  return z;
}

IP_INLINE reg slope_linear(reg a)
{
  (void)a;
  return all(1.0F);
}

/* ---- over whole layers ------------------------------------------------------------------- */

#define IP_ACTIVATION(name, sentence, low, high)                                               \
  static void apply_##name(size_t rows, size_t stride, size_t lanes, float a[])                \
  {                                                                                            \
    for (size_t r = 0; r < rows; r++, a += stride)                                             \
      for (size_t i = 0; i < lanes; i += IP_LANES) {                                           \
        ip_lanes v = ip_load(a + i);                                                           \
        IP_EACH(h) v.r[h] = value_##name(v.r[h]);                                              \
        ip_store_lanes(a + i, v);                                                              \
      }                                                                                        \
  }                                                                                            \
  static void slope_##name##_times(size_t rows, size_t stride, size_t lanes, const float a[],  \
                                   float delta[])                                              \
  {                                                                                            \
    for (size_t r = 0; r < rows; r++, a += stride, delta += stride)                            \
      for (size_t i = 0; i < lanes; i += IP_LANES) {                                           \
        ip_lanes v = ip_load(a + i);                                                           \
        IP_EACH(h) v.r[h] = slope_##name(v.r[h]);                                              \
        ip_store_lanes(delta + i, ip_mul(ip_load(delta + i), v));                              \
      }                                                                                        \
  }
#include "activation.def"
#undef IP_ACTIVATION

static const struct {
  void (*apply)(size_t rows, size_t stride, size_t lanes, float a[]);
  void (*slope)(size_t rows, size_t stride, size_t lanes, const float a[], float delta[]);
} table[] = {
#define IP_ACTIVATION(name, sentence, low, high) {apply_##name, slope_##name##_times},
#include "activation.def"
#undef IP_ACTIVATION
};

static void apply(size_t activation, size_t rows, size_t stride, size_t lanes, float a[])
{
  table[activation].apply(rows, stride, lanes, a);
}

static void slope(size_t activation, size_t rows, size_t stride, size_t lanes, const float a[],
                  float delta[])
{
  table[activation].slope(rows, stride, lanes, a, delta);
}

/* ---- output layer ------------------------------------------------------------------------ */

/* a = exp(z - max) / sum, for sixteen samples. */
IP_INLINE void softmax(const ip_outputs *p, size_t lane)
{
  ip_lanes top = ip_load(p->z + lane), sum = ip_all(0.0F);

  for (size_t u = 1; u < p->units; u++) {
    const ip_lanes z = ip_load(p->z + u * p->stride + lane);

    IP_EACH(i) top.r[i] = pick(z.r[i] <= top.r[i], top.r[i], z.r[i]);
  }
  for (size_t u = 0; u < p->units; u++) {
    const size_t at = u * p->stride + lane;
    ip_lanes e = ip_sub(ip_load(p->z + at), top);

    IP_EACH(i) e.r[i] = exp_negative(e.r[i]);
    ip_store_lanes(p->a + at, e);
    sum = ip_add(sum, e);
  }
  for (size_t u = 0; u < p->units; u++) {
    const size_t at = u * p->stride + lane;

    ip_store_lanes(p->a + at, ip_div(ip_load(p->a + at), sum));
  }
}

static void output(const ip_outputs *p)
{
  for (size_t lane = 0; lane < p->lanes; lane += IP_LANES) {
    if (p->kind == IP_OUTPUT_SOFTMAX) {
      softmax(p, lane);
      continue;
    }
    for (size_t u = 0; u < p->units; u++) {
      ip_lanes z = ip_load(p->z + u * p->stride + lane);

      IP_EACH(i) z.r[i] = value_sigmoid(z.r[i]);
      ip_store_lanes(p->a + u * p->stride + lane, z);
    }
  }
}

/* A single sigmoid unit stands for class 1, else unit u for class u. */
static void output_delta(const ip_outputs *p)
{
  const int32_t first = p->kind == IP_OUTPUT_SIGMOID && p->units == 1 ? 1 : 0;

  for (size_t u = 0; u < p->units; u++)
    for (size_t lane = 0; lane < p->lanes; lane += IP_LANES) {
      ip_lanes a = ip_load(p->a + u * p->stride + lane);
      const mask *label = (const mask *)(const void *)(p->label + lane);

      IP_EACH(i)
      a.r[i] -= (reg)((mask)all(1.0F) & (label[i] == (int32_t)u + first));
      ip_store_lanes(p->delta + u * p->stride + lane, ip_mul(a, ip_load(p->share + lane)));
    }
}

const ip_activation_kernels IP_OF_WIDTH(ip_activation_kernels) = {
    .apply = apply, .slope = slope, .output = output, .output_delta = output_delta};
