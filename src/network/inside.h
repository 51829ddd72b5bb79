#pragma once

/** @file
 *  What the files of the room share: the network itself and one pass of a batch through it.
 */

#include "kernels.h"
#include <infoplane/rng.h>

enum { IP_TILE = 8 }; /**< rows of weights that statistics look at together */

struct ip_network {
  size_t layers, activation;
  ip_output output;
  ip_blas blas;
  int32_t *width;   /**< shape (layers + 1)                                        */
  size_t *offset;   /**< shape (layers + 1): layer l at offset[l]                  */
  size_t n;         /**< parameters                                                */
  float *parameter; /**< shape (n rounded up to 16), the rest 0                    */
  double *row;      /**< shape (2 + IP_TILE, widest of all): for what is said of weights */
  const ip_product_kernels *products;
  const ip_activation_kernels *activations;
};

/** Room for one batch on its way: activations forward, deltas backward. */
typedef struct {
  size_t stride, lanes; /**< of every array; lanes in use                             */
  size_t m;             /**< samples in use                                           */
  float **a;            /**< a[0] = x .. a[layers], each (units, stride)              */
  float **delta;        /**< delta[1] .. delta[layers]                                */
  float *z;             /**< of the output layer                                      */
  float *share;         /**< shape (stride): weight of each sample in the mean        */
  int32_t *label;       /**< shape (stride)                                           */
  float *room;          /**< all of the above in one piece                            */
} ip_pass;

/** n rounded up to a multiple of 16. */
static inline size_t ip_round_up(size_t n)
{
  return (n + 15) / 16 * 16;
}

/** Units of layer l, as a size. */
static inline size_t ip_units(const ip_network *network, size_t layer)
{
  return (size_t)network->width[layer];
}

/** Room for up to `samples` at once; backward: with deltas.  *pass unchanged on error. */
PetscErrorCode ip_pass_create(const ip_network *network, size_t samples, bool backward,
                              ip_pass *pass);
void ip_pass_destroy(ip_pass *pass);

/** Samples index[0 .. m-1] of x become lanes 0 .. m-1; 0 up to the next multiple of 16. */
void ip_pass_load(const ip_network *network, size_t m, const uint32_t index[], const float x[],
                  ip_pass *pass);
/** Labels of the same samples, each with this share in the gradient (1/m: gradient of the mean). */
void ip_pass_label(size_t m, const uint32_t index[], const int32_t y[], float share,
                   ip_pass *pass);
void ip_pass_forward(const ip_network *network, ip_pass *pass);
void ip_pass_backward(const ip_network *network, ip_pass *pass);
/** Gradient by all parameters, layout of the parameters. */
void ip_pass_gradient(const ip_network *network, const ip_pass *pass, float gradient[]);
