#pragma once

/** @file
 *  Data sets: where X and Y come from.
 *
 *      symmetric  the rule of Shwartz-Ziv and Tishby, computed exactly (no file)
 *      mat        MATLAB 5 file with F (n, d) and y (the authors' var_u.mat)
 *      idx        IDX images and labels, gzipped or not (MNIST, Fashion-MNIST)
 *      hdf5       HDF5 file with x (n, d) and y (n)
 *      activations  of a network that somebody else trained; inputs and labels of the file
 *
 *  A new one is one file, src/dataset/<name>.c, that defines `const ip_dataset_kind
 *  ip_dataset_<name>`, and one row in table.def beside it.
 *
 *  Serial; one rank reads and hands the arrays on.  Readers trust no length that a file claims.
 *  hdf5 reads in a child process first, so load before MPI starts.
 */

#include <infoplane/core.h>

typedef enum { IP_LABELS_DETERMINISTIC, IP_LABELS_STOCHASTIC, IP_LABELS_SHUFFLED } ip_labels;
typedef enum { IP_SPLIT_RANDOM, IP_SPLIT_IDNNS_PREFIX } ip_split_rule;

const char *ip_labels_name(size_t i);     /**< ip_names of ip_labels     */
const char *ip_split_rule_name(size_t i); /**< ip_names of ip_split_rule */

/** What a user says about a data set: the keys `dataset.*`. Texts are borrowed. */
typedef struct {
  size_t kind;             /**< row of the table                                            */
  const char *path;        /**< file; NULL for symmetric                                    */
  const char *labels_path; /**< idx: file of the labels; NULL: images' name with            */
                           /**< "images-idx3" replaced by "labels-idx1"                     */
  ip_labels labels;        /**< stochastic: symmetric only                                  */
  double gamma;            /**< steepness of the stochastic rule                            */
  int64_t samples;         /**< how many; 0 = all                                           */
  bool keyed_choice;       /**< samples: random choice by seed alone, else the first        */
  uint64_t seed;           /**< key of that choice                                          */
} ip_dataset_spec;

/** n patterns, all equally likely.  Plain arrays, so that a rank can broadcast it. */
typedef struct {
  size_t n;   /**< patterns, >= 1                                                           */
  size_t d;   /**< features, >= 1                                                           */
  int32_t k;  /**< classes, >= 2 (labels may use fewer)                                     */
  float *x;   /**< shape (n, d), row-major; finite                                          */
  int32_t *y; /**< shape (n), each in 0 .. k-1; for the stochastic rule the likelier label  */
  double *p;  /**< shape (n, k): p(y|x), rows sum to 1; NULL where labels are certain       */
  uint64_t beside; /**< XXH3 of what belongs to it and is not in these arrays, 0 = nothing   */
} ip_dataset;

/** One row of the table of data sets. `load` fills n, d, k, x, y of a zeroed dataset from the
 *  spec (all samples unless it is cheap to read fewer); the front door checks, chooses samples. */
typedef struct {
  const char *name, *sentence, *reference;
  bool needs_path;
  bool given; /**< the layers of its network are there to be measured: nothing is trained */
  PetscErrorCode (*load)(const ip_dataset_spec *spec, ip_dataset *data);
} ip_dataset_kind;

const ip_dataset_kind *ip_dataset_row(size_t i); /**< row i, NULL past the end */
const char *ip_dataset_name(size_t i);           /**< ip_names of the table    */

/** Read or generate, check and (spec->samples) choose.  IP_ERR_NO_INPUT: missing file;
 *  IP_ERR_DATA: what the file holds; the message names the path.  *data unchanged on error. */
PetscErrorCode ip_dataset_load(const ip_dataset_spec *spec, ip_dataset **data);

/** An empty one of this shape, for a rank that receives the arrays; p only where certain is false. */
PetscErrorCode ip_dataset_allocate(size_t n, size_t d, int32_t k, bool certain,
                                   ip_dataset **data);
void ip_dataset_destroy(ip_dataset **data);

/** One line that names it: "symmetric, stochastic, gamma 54.492", "idx train-images..., 10000 samples". */
PetscErrorCode ip_dataset_label(const ip_dataset_spec *spec, ip_text *text);

/** The labels that one replicate trains with, y: shape (n).
 *    deterministic  data->y
 *    stochastic     drawn from data->p, pattern i by counter i
 *    shuffled       data->y permuted over the patterns (keeps H(Y), breaks the relation) */
PetscErrorCode ip_labels_draw(const ip_dataset *data, ip_labels labels, uint64_t seed,
                              uint32_t replicate, int32_t y[]);

/** Which patterns train and which test; indices into 0 .. n-1. */
typedef struct {
  size_t n_train, n_test;
  size_t overlap;  /**< patterns in both                      */
  uint32_t *train; /**< shape (n_train)                       */
  uint32_t *test;  /**< shape (n_test)                        */
} ip_split;

/** Size of the training set: rint(fraction n). */
size_t ip_split_train_size(double fraction, size_t n);

/** random: train = the first rint(fraction n) of the replicate's permutation (subsets are nested
 *  over fractions), test = the rest.  idnns-prefix: train = the first rint(fraction n) rows
 *  unshuffled, test = rows from rint(0.8 n) on, as in the authors' code; they overlap above 80 %.
 *  IP_ERR_CONFIG when the training set would be empty. */
PetscErrorCode ip_split_create(ip_split_rule rule, double fraction, size_t n, uint64_t seed,
                               uint32_t replicate, ip_split **split);
void ip_split_destroy(ip_split **split);

/** Entropies of a subset of patterns, bits, as the estimators see it: every pattern of the
 *  subset equally likely, equal inputs counted as one. */
typedef struct {
  double h_x, h_y, i_xy;
} ip_entropies;

/** subset: m indices, or NULL for all n.  y: labels used (data->y, or shuffled); with data->p
 *  the labels are weighed with p(y|x) and y is not read. */
PetscErrorCode ip_dataset_entropies(const ip_dataset *data, const int32_t y[], size_t m,
                                    const uint32_t subset[], ip_entropies *entropies);

/** The rule of the paper for one pattern (bit 0 is the highest of 12): f = k + |S|; the label is
 *  1 exactly if f > 7.632.  See src/dataset/symmetric.c. */
double ip_symmetric_f(uint32_t pattern);

/** The joint distribution of X and Y that the information bottleneck is asked of: inputs of the
 *  same f (rounded to 1e-9) are one value of x, 53 for all 4096 patterns, in the order of f.
 *  weight: shape (n), p(x) > 0; p: shape (n, k), p(y|x); release both with ip_release.
 *  IP_ERR_CONFIG with certain labels, where a beta means nothing, and with other data sets. */
PetscErrorCode ip_dataset_joint(const ip_dataset_spec *spec, const ip_dataset *data, size_t *n,
                                double **weight, double **p);

/* ---- activations of a network that was trained elsewhere --------------------------------------- */

/** A file of them: HDF5, .npz, or a folder of .npy files, with the arrays
 *
 *      layer_1, layer_2, ...  (epoch, sample, unit), or (sample, unit) of one epoch; any real numbers
 *      y                      (sample) whole numbers from 0, or (sample, class): one-hot, or p(y|x)
 *      epoch                  (epoch), ascending; 0, 1, ... without it
 *      layer_0                as the layers: the inputs;  or x_id (sample): equal for equal inputs
 *      train, test            numbers of the samples that trained and that did not; for `on`
 *      classes                (1): how many, where y does not name all
 *
 *  Activations are taken as float32; what float64 holds beyond is rounded away. */
typedef struct {
  size_t n, n_epochs, n_layers;
  int32_t *epoch;  /**< shape (n_epochs), ascending                               */
  int32_t *width;  /**< shape (n_layers): of layer_1, ...                         */
  bool has_inputs; /**< layer_0 or x_id; else all samples are taken as different  */
  bool rounds;     /**< some layer is kept in more than float32                   */
  ip_split split;  /**< empty where the file names none                           */
  void *container; /**<                                                           */
} ip_activations;

/** Let a child process open an HDF5 file first; before MPI starts.  Errors as ip_activations_open. */
PetscErrorCode ip_activations_probe(const char *path);

/** Shapes, epochs and split; the layers stay in the file.  IP_ERR_NO_INPUT, IP_ERR_DATA. */
PetscErrorCode ip_activations_open(const char *path, ip_activations **activations);
void ip_activations_close(ip_activations **activations);

/** Layer (from 1) at look e; t: shape (width, stride), unit-major, 0 past n.  Cheapest in the order of
 *  looks.  *finite = false: some number is not; the network had diverged.  IP_ERR_DATA: damaged, or a
 *  number that float32 cannot hold, with its place. */
PetscErrorCode ip_activations_read(ip_activations *activations, size_t e, size_t layer,
                                   size_t stride, float *t, bool *finite);
