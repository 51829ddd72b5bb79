#pragma once

/** @file
 *  Fully connected networks: layers, training, and what a look at them sees.
 *
 *      z_l = W_l a_{l-1} + b_l,   a_l = phi(z_l),   a_0 = x,   l = 1 .. layers
 *
 *  phi is the activation in the hidden layers and softmax or sigmoid in the last.  Loss is the
 *  mean cross-entropy in nats.  Arithmetic is float32, every sum over samples runs over 16 virtual
 *  lanes (lane = sample modulo 16) that are added in one fixed tree, so results are the same bits
 *  for every vector width.  ip_reference_* is the slow, obvious network in double that the fast
 *  one is tested against.
 *
 *  Serial; opaque objects own their arrays.
 */

#include <infoplane/core.h>

/* ---- tables -------------------------------------------------------------------------------- */

/** One row of the table of activations (tanh relu sigmoid softsign softplus linear). */
typedef struct {
  const char *name, *sentence;
  double low, high; /**< closed range of values; -inf, inf where unbounded */
} ip_activation;

const ip_activation *ip_activation_row(size_t i);
const char *ip_activation_name(size_t i);

typedef enum { IP_OUTPUT_SOFTMAX, IP_OUTPUT_SIGMOID } ip_output;
typedef enum { IP_INIT_FAN_IN, IP_INIT_FAN_OUT, IP_INIT_UNIFORM } ip_init;
typedef enum { IP_OPTIMIZER_SGD, IP_OPTIMIZER_MOMENTUM, IP_OPTIMIZER_ADAM } ip_optimizer;
typedef enum { IP_BLAS_OWN, IP_BLAS_OPENBLAS } ip_blas;

const char *ip_output_name(size_t i);    /**< softmax sigmoid            */
const char *ip_init_name(size_t i);      /**< fan_in fan_out uniform     */
const char *ip_optimizer_name(size_t i); /**< sgd momentum adam          */
const char *ip_blas_name(size_t i);      /**< own openblas               */

/* ---- a network ------------------------------------------------------------------------------ */

/** Shape of a network.  width[l], l = 0 .. layers: width[0] = features, width[layers] = outputs. */
typedef struct {
  size_t layers;        /**< hidden layers + 1                                               */
  const int32_t *width; /**< shape (layers + 1), borrowed during create                      */
  size_t activation;    /**< row of the table                                                */
  ip_output output;     /**<                                                                 */
  ip_blas blas;         /**< who multiplies where both widths are >= 128                     */
} ip_network_shape;

/** Units of the output layer: softmax k; sigmoid 1 for two classes, else k (one against the rest,
 *  loss = sum of k binary cross-entropies). */
int32_t ip_output_units(ip_output output, int32_t classes);

typedef struct ip_network ip_network;

/** All parameters 0.  IP_ERR_CONFIG: no layers or more than 255, a width outside 1 .. 2^24 - 2,
 *  a softmax over one unit. */
PetscErrorCode ip_network_create(const ip_network_shape *shape, ip_network **network);
void ip_network_destroy(ip_network **network);

/** Initial weights, keyed (seed, replicate, layer, unit, input) whatever the rest of the shape:
 *    fan_in   truncated normal, sigma = 1/sqrt(inputs of the layer); biases 0   (IDNNs)
 *    fan_out  truncated normal, sigma = 1/sqrt(units of the layer);  biases 0   (Saxe et al.)
 *    uniform  weights and biases uniform in +-1/sqrt(inputs)                    (PyTorch) */
void ip_network_initialize(ip_network *network, ip_init init, uint64_t seed,
                           uint32_t replicate);

size_t ip_network_layers(const ip_network *network);
int32_t ip_network_width(const ip_network *network, size_t layer); /**< layer 0 .. layers */

/** All parameters as one flat array: for each layer W (units, inputs) row-major, then b (units).
 *  Read and write; how weights are saved and put back. */
float *ip_network_parameters(ip_network *network);
size_t ip_network_n_parameters(const ip_network *network);
/** Where W of layer l = 1 .. layers begins; its b follows at + units * inputs. */
size_t ip_network_offset(const ip_network *network, size_t layer);

/* ---- training ------------------------------------------------------------------------------- */

/** How to train: the keys `train.*`. Updates as PyTorch defines them:
 *    sgd       p -= lr g
 *    momentum  v = momentum v + g (v = g at first);  p -= lr v
 *    adam      betas 0.9, 0.999, epsilon 1e-8, bias-corrected
 *  with g including weight_decay p for every parameter, biases too. */
typedef struct {
  ip_optimizer optimizer;
  double learning_rate, momentum, weight_decay;
  size_t batch; /**< samples of a mini-batch; >= n_train means full batch                    */
  uint64_t seed;
  uint32_t replicate;
} ip_training;

/** The training set as the trainer sees it; borrowed for the trainer's life. */
typedef struct {
  size_t n, d;           /**< patterns of the data set, features                             */
  const float *x;        /**< shape (n, d)                                                   */
  const int32_t *y;      /**< shape (n): labels of this replicate                            */
  size_t n_train;        /**<                                                                */
  const uint32_t *train; /**< shape (n_train): indices into 0 .. n-1                         */
} ip_training_set;

typedef struct ip_trainer ip_trainer; /**< optimizer state and buffers of one run             */

/** Keeps the network, which must outlive it.  IP_ERR_DATA: a training label without a unit;
 *  IP_ERR_CONFIG: empty training set, batch 0. */
PetscErrorCode ip_trainer_create(ip_network *network, const ip_training *training,
                                 const ip_training_set *set, ip_trainer **trainer);
void ip_trainer_destroy(ip_trainer **trainer);

/** One pass over the training set in mini-batches, the last one smaller (mean over its own size).
 *  Order: the permutation number `epoch` of the shuffle stream (epoch = passes done before), also
 *  with full batch.  No allocation.  *finite = false: a parameter became NaN or infinite.
 *  IP_ERR_CONFIG: epoch >= 2^31. */
PetscErrorCode ip_trainer_epoch(ip_trainer *trainer, uint64_t epoch, bool *finite);

/** Optimizer steps done so far. */
int64_t ip_trainer_updates(const ip_trainer *trainer);

/** Optimizer state as one flat array, and the step counter: what a checkpoint keeps beside the
 *  parameters.  n may be 0 (sgd); rows of the optimizer's moments, each padded to 16 with zeros. */
float *ip_trainer_state(ip_trainer *trainer, size_t *n);
void ip_trainer_set_updates(ip_trainer *trainer, int64_t updates);

/* ---- a look --------------------------------------------------------------------------------- */

/** Activations of all layers over all patterns, layer l: shape (units, stride), unit-major. */
typedef struct ip_snapshot ip_snapshot;

PetscErrorCode ip_snapshot_create(const ip_network *network, size_t n, ip_snapshot **snapshot);
void ip_snapshot_destroy(ip_snapshot **snapshot);

/** Forward pass of all n patterns x: shape (n, d). */
PetscErrorCode ip_snapshot_take(const ip_network *network, const float x[],
                                ip_snapshot *snapshot);

/** Row stride: n rounded up to a multiple of 16; what lies past n is 0. */
size_t ip_snapshot_stride(const ip_snapshot *snapshot);
const float *ip_snapshot_layer(const ip_snapshot *snapshot, size_t layer); /**< 1 .. layers */

/** No activation and no logit is NaN or infinite. */
bool ip_snapshot_is_finite(const ip_snapshot *snapshot);

/** Mean cross-entropy (nats, from the logits) and share of right answers (argmax; sigmoid with
 *  one unit: a > 1/2) over m patterns; NaN both for m = 0. */
void ip_snapshot_score(const ip_snapshot *snapshot, const int32_t y[], size_t m,
                       const uint32_t subset[], double *loss, double *accuracy);

/** Of one layer's weight gradient (no biases, no decay) at weights that do not move: G_b of the
 *  equal batches b of one keyed partition of the training set. */
typedef struct {
  double mean_norm;       /**< |mean_b G_b|_F                                                 */
  double std_norm;        /**< sqrt(sum over elements of the population variance over b)      */
  double sample_std_norm; /**< the same over the single samples of the partition              */
} ip_gradient;

/** Shape (layers) of results.  batch = min(gradient_batch, n_train / 4), at least 1; the
 *  remainder is left out; NaN everywhere with fewer than two batches. */
PetscErrorCode ip_network_gradients(const ip_network *network, const ip_training_set *set,
                                    size_t gradient_batch, uint64_t seed, uint32_t replicate,
                                    ip_gradient gradient[]);

/** Frobenius norm of W, and the mean absolute Pearson correlation over pairs of units of their
 *  incoming weights (NaN for one unit or one input; a row that is constant or not finite
 *  correlates with none and is left out). */
void ip_network_weight_statistics(const ip_network *network, size_t layer, double *norm,
                                  double *correlation);

/** Name of the CPU kernel that OpenBLAS chose; ranks must agree when it multiplies.  Sets it to
 *  one thread. */
const char *ip_blas_kernel(void);

/* ---- the slow reference in double ----------------------------------------------------------- */

typedef struct ip_reference ip_reference;

PetscErrorCode ip_reference_create(const ip_network_shape *shape, ip_reference **reference);
void ip_reference_destroy(ip_reference **reference);
double *ip_reference_parameters(ip_reference *reference); /**< layout as the float network */

/** What the reference looks at. */
typedef struct {
  size_t m;         /**< samples        */
  const double *x;  /**< shape (m, d)   */
  const int32_t *y; /**< shape (m)      */
} ip_reference_set;

/** Mean loss over the set, and if gradient is not NULL its gradient by every parameter.
 *  Activations of layer l, if t is not NULL: t[l - 1], shape (m, units). */
PetscErrorCode ip_reference_loss(const ip_reference *reference, const ip_reference_set *set,
                                 double *loss, double gradient[], double *t[]);

/** The float network's gradient of the mean loss over the listed patterns, for the comparison. */
PetscErrorCode ip_network_gradient(const ip_network *network, const ip_training_set *set,
                                   float gradient[]);
