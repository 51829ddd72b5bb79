#pragma once

/** @file
 *  The vector kernels of the room.  Arrays of a layer have shape (units, stride), lane = sample;
 *  strides and counts of lanes are multiples of 16, arrays 64-byte aligned.
 *  Every kernel adds in the order of its indices, whatever its tiles.
 */

#include <infoplane/network.h>
#include <infoplane/numerics.h>

/** out[r][s] = start[r] + sum_t weight[r row_step + t term_step] in[t][s]; start NULL: 0.
 *  Forward with W as it lies, backward with W transposed. */
typedef struct {
  size_t rows, terms, row_step, term_step, stride, lanes;
  const float *weight, *start, *in;
  float *out;
} ip_product;

/** weight[o][i] = sum_s delta[o][s] a[i][s]; bias[o] = sum_s delta[o][s]. */
typedef struct {
  size_t units, inputs, stride, lanes;
  const float *delta, *a;
  float *weight, *bias;
} ip_outer;

/** Output layer: z, a, delta of shape (units, stride). */
typedef struct {
  size_t units, stride, lanes;
  ip_output kind;
  const float *z;
  const int32_t *label; /**< shape (lanes)                                          */
  const float *share;   /**< shape (lanes): weight of a sample in the mean, 0 = pad */
  float *a, *delta;
} ip_outputs;

/** One step of an optimizer over n (multiple of 16) parameters. */
typedef struct {
  ip_optimizer optimizer;
  size_t n;
  float rate, momentum, decay; /**< adam: rate / (1 - beta1^t)      */
  float root;                  /**< adam: 1 / sqrt(1 - beta2^t)     */
  const float *gradient;
  float *parameter, *first, *second; /**< v, or the two moments      */
} ip_step;

typedef struct {
  void (*product)(const ip_product *p);
  void (*outer)(const ip_outer *p);
  /** x: shape (n, d) -> to[i][s] = x[index[s]][i], s < m; 0 up to the next multiple of 16. */
  void (*gather)(size_t m, const uint32_t index[], size_t d, const float x[], size_t stride,
                 float to[]);
  void (*step)(const ip_step *p);
} ip_product_kernels;

typedef struct {
  /** a = phi(z) in place, all rows. */
  void (*apply)(size_t activation, size_t rows, size_t stride, size_t lanes, float a[]);
  /** delta *= phi'(z), told from a = phi(z). */
  void (*slope)(size_t activation, size_t rows, size_t stride, size_t lanes, const float a[],
                float delta[]);
  void (*output)(const ip_outputs *p);       /**< z -> a                  */
  void (*output_delta)(const ip_outputs *p); /**< (a - target) share      */
} ip_activation_kernels;

extern const ip_product_kernels ip_product_kernels_baseline, ip_product_kernels_avx2,
    ip_product_kernels_avx512;
extern const ip_activation_kernels ip_activation_kernels_baseline, ip_activation_kernels_avx2,
    ip_activation_kernels_avx512;
