/* Activations, their slopes, and the output layer, sixteen samples at a time.

   All rest on e^y - 1 by reduction: y = n ln 2 + r, |r| <= ln 2 / 2, q = e^r - 1 = r + r^2 P(r),
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

/* Below 1, -u / (2 + u) with u = e^-2x - 1, exact near 0; above, 1 - 2e / (2 + u) with
   e = e^-2x, which reaches 1 where tanh rounds to it.  One division serves both. */
IP_INLINE reg value_tanh(reg z)
{
  const reg x = negative(z);
  reg s;
  const reg q = reduced(bounded(x + x), &s);
  const reg u = ip_fma_register(s, q, s - 1.0F), e = ip_fma_register(s, q, s);
  const mask large = x <= all(-1.0F);
  const reg ratio = pick(large, e + e, u) / (u + 2.0F);

  return signed_as((reg)((mask)all(1.0F) & large) - ratio, z);
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
  static void apply_##name(size_t n, float a[])                                                \
  {                                                                                            \
    for (size_t i = 0; i < n; i += IP_LANES) {                                                 \
      ip_lanes v = ip_load(a + i);                                                             \
      IP_EACH(r) v.r[r] = value_##name(v.r[r]);                                                \
      ip_store_lanes(a + i, v);                                                                \
    }                                                                                          \
  }                                                                                            \
  static void slope_row_##name(size_t n, const float a[], float delta[])                       \
  {                                                                                            \
    for (size_t i = 0; i < n; i += IP_LANES) {                                                 \
      ip_lanes v = ip_load(a + i);                                                             \
      IP_EACH(r) v.r[r] = slope_##name(v.r[r]);                                                \
      ip_store_lanes(delta + i, ip_mul(ip_load(delta + i), v));                                \
    }                                                                                          \
  }
#include "activation.def"
#undef IP_ACTIVATION

static const struct {
  void (*apply)(size_t n, float a[]);
  void (*slope)(size_t n, const float a[], float delta[]);
} table[] = {
#define IP_ACTIVATION(name, sentence, low, high) {apply_##name, slope_row_##name},
#include "activation.def"
#undef IP_ACTIVATION
};

static void apply(size_t activation, size_t rows, size_t stride, size_t lanes, float a[])
{
  for (size_t r = 0; r < rows; r++) table[activation].apply(lanes, a + r * stride);
}

static void slope(size_t activation, size_t rows, size_t stride, size_t lanes, const float a[],
                  float delta[])
{
  for (size_t r = 0; r < rows; r++)
    table[activation].slope(lanes, a + r * stride, delta + r * stride);
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
