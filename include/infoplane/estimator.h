#pragma once

/** @file
 *  Estimators: where one layer sits on the information plane.
 *
 *  An input X passes through a network and becomes, at one layer, a vector of activations T.
 *  An estimator reads n such vectors and returns
 *
 *      I(X;T)  what the layer still knows about the input   [bits]
 *      I(T;Y)  what the layer knows about the label         [bits]
 *
 *  taking the n patterns as equally likely: I(X;T) is at most log2 n.
 *
 *  An entry `{kind: kde, noise_variance: [1e-3, 1e-1]}` of an input file names an estimator and
 *  its parameters; lists multiply.  Each combination is one column: a name, and a pure function of
 *  one look's activations, labels and weights.  One estimator measures all its columns in one
 *  pass over the activations.
 *
 *  Serial, no random numbers, no files.  A new estimator is one file, src/estimator/<name>.c,
 *  which defines `const ip_estimator ip_estimator_<name>`, and one row in table.def beside it.
 */

#include <infoplane/core.h>

enum { IP_MAX_PARAMETERS = 8, IP_COLUMN_NAME = 64 };

/** The patterns on which layers are measured. */
typedef enum { IP_ON_FULL, IP_ON_TRAIN, IP_ON_TEST, IP_ONS } ip_on;
const char *ip_on_name(size_t i); /**< full train test */

/** Activations of one layer at one look; a view, it owns nothing. */
typedef struct {
  size_t n;         /**< patterns, >= 1                                                      */
  size_t d;         /**< units, >= 1                                                         */
  size_t stride;    /**< >= n, a multiple of 16; t is 64-byte aligned                        */
  int32_t k;        /**< classes, >= 1                                                       */
  const float *t;   /**< shape (d, stride), unit-major; finite, 0 past n                     */
  const int32_t *y; /**< shape (n), labels 0 .. k-1; not read where p is given               */
  const double *p;  /**< shape (n, k): p(y|x); NULL where labels are certain                 */
  bool bounded;     /**< the activation has a closed range                                   */
  double run_low, run_high; /**< smallest and largest activation of this layer over all looks
                                 of the run, for `range: run`; NaN while not known           */
} ip_layer;

struct ip_estimator;

/** One way to measure: a column of the results. A plain value (lists are borrowed). */
typedef struct {
  const struct ip_estimator *estimator;
  ip_value value[IP_MAX_PARAMETERS]; /**< in the order of estimator->parameter; meant where
                                          given, or where the parameter has a default        */
  bool given[IP_MAX_PARAMETERS];     /**< the entry of the input names the parameter         */
  ip_on on;                          /**<                                                    */
  char name[IP_COLUMN_NAME];         /**< "bin30", "kde_upper_0.001_layer", "bin30_train"    */
} ip_column;

/** What a column says of a layer. NaN where an estimator does not define a member. */
typedef struct {
  double i_xt;     /**< I(X;T), bits                                                        */
  double i_ty;     /**< I(T;Y), bits; never clipped, so KDE may fall below zero             */
  double h_t;      /**< binning: H of the binned T; KDE: differential entropy of T + noise
                        (NaN where the noise of a constant layer is none)                   */
  float i_ty_bias; /**< plug-in bias of i_ty to first order, bits (binning)                 */
  float clipped_fraction;  /**< share of activations outside the range (binning)              */
  float bin_low, bin_high; /**< the range used (binning; NaN for fixed width)                */
  float error_bound;       /**< how far i_xt and i_ty are at most from the sum over all pairs
                                in exact arithmetic, bits (KDE)                              */
} ip_information;

typedef struct ip_workspace ip_workspace; /**< buffers kept from call to call                 */

enum { IP_CREW = 64 }; /**< most members */
enum {
  IP_CREW_BYTES = 1 << 24
}; /**< of items that a member keeps at once, unless one is larger */

/** Several who measure the same columns of the same layer at the same time.  Member 0 asks for the
 *  answers, the others assist it.  What takes long is an array of items in a fixed order: each
 *  member makes those of its share, and member 0 gets them all.  What comes out has the same bits
 *  for any number of members and any shares. */
typedef struct {
  size_t member, size;
  double
      lead; /**< share of member 0, 0 .. 1; the others have equal shares of the rest         */
  void *context;
  /** Member m has made items begin[m] .. begin[m + 1] - 1 of this many bytes, shape of begin
   *  (size + 1); on member 0 all are there afterwards.  In the same order on all members. */
  PetscErrorCode (*gather)(void *context, size_t bytes, const size_t begin[], void *item);
  /** Called after every item that was made, may be NULL; an error ends the call of the estimator. */
  PetscErrorCode (*between)(void *context);
} ip_crew;

/** Share out n items by cost, so that begin[m] is the first of member m. */
void ip_crew_share(const ip_crew *crew, size_t n, const double cost[], size_t begin[]);

/** One row of the table of estimators. */
typedef struct ip_estimator {
  const char *name;              /**< value of `kind` in input files                         */
  const char *sentence;          /**< one line of help                                       */
  const char *reference;         /**< source of the formula                                  */
  const ip_parameter *parameter; /**< its keys; a NULL key ends them                         */
  /** Column name from its values, without the suffix of `on`. */
  PetscErrorCode (*name_column)(const ip_column *column, ip_text *name);
  /** Refuse values that do not go together (IP_ERR_CONFIG); `unbounded` names an activation of
   *  the study without a closed range, or NULL. Message without place. */
  PetscErrorCode (*check_column)(const ip_column *column, const char *unbounded);
  /** True if the column needs run_low and run_high of the layer. */
  bool (*needs_run_range)(const ip_column *column);
  /** Measure n columns of this estimator, out: shape (n). */
  PetscErrorCode (*measure)(const ip_layer *layer, size_t n, const ip_column *const column[],
                            ip_workspace *work, ip_information out[]);
  /** What a member of a crew other than 0 does of `measure`; NULL: member 0 does it alone. */
  PetscErrorCode (*assist)(const ip_layer *layer, size_t n, const ip_column *const column[],
                           ip_workspace *work);
  /** The slow, obvious form of one column: the oracle. */
  PetscErrorCode (*measure_reference)(const ip_layer *layer, const ip_column *column,
                                      ip_information *out);
  /** The cell of every sample, numbered 0 .. *n_cells - 1, cell: shape (n), for one column of an
   *  estimator that makes T discrete; NULL for the others. */
  PetscErrorCode (*cells)(const ip_layer *layer, const ip_column *column, ip_workspace *work,
                          size_t *n_cells, uint32_t cell[]);
  /** Predicted cost of all columns on a layer, in elementary operations, for the schedule. */
  double (*cost)(size_t n, size_t d, size_t n_columns);
} ip_estimator;

const ip_estimator *ip_estimator_row(size_t i); /**< row i, NULL past the end */
const char *ip_estimator_name(size_t i);        /**< ip_names of the table    */

/** A column of this estimator with default values, nothing given, not yet named.  A default
 *  that is a list, as `bound: [upper, lower]` of kde, means a column of each for an entry
 *  without the key; here it is the first. */
PetscErrorCode ip_column_default(const ip_estimator *estimator, ip_column *column);

/** Whether parameter p of the column's estimator says something of it: bins of a fixed width have
 *  no number. */
bool ip_column_has(const ip_column *column, size_t p);

/** Give the column its name from its values and `on`. IP_ERR_CONFIG when it is too long. */
PetscErrorCode ip_column_set_name(ip_column *column);

enum { IP_WORKSPACE_SLOTS = 24 };

PetscErrorCode ip_workspace_create(ip_workspace **work);
void ip_workspace_destroy(ip_workspace **work);

/** From now on this crew measures (a copy is kept); NULL, as at the beginning: one alone. */
void ip_workspace_join(ip_workspace *work, const ip_crew *crew);
const ip_crew *ip_workspace_crew(const ip_workspace *work);

/** Room of at least this many bytes, 64-byte aligned, contents undefined; slots 0 .. 22 keep
 *  apart, the last one (23) is the front door's.  For estimators only. */
PetscErrorCode ip_workspace_room(ip_workspace *work, size_t slot, size_t bytes, void **room);

/** Measure columns that all belong to one estimator (column[0]->estimator).
 *
 *  Checks layer and answers, so an estimator itself may assume a valid layer.  out unchanged on
 *  error.  IP_ERR_INTERNAL: empty shape, label out of range, p no distribution, activation not
 *  finite, answer not finite, no memory.  IP_ERR_CONFIG: the range of the activation is asked for
 *  and it has none. */
PetscErrorCode ip_estimate(const ip_layer *layer, size_t n, const ip_column *const column[],
                           ip_workspace *work, ip_information out[]);

/** The same on the other members of the workspace's crew, without an answer; nothing where the
 *  estimator does not share.  Errors as ip_estimate. */
PetscErrorCode ip_estimate_assist(const ip_layer *layer, size_t n,
                                  const ip_column *const column[], ip_workspace *work);

/** The cells into which a column's estimator puts the samples: every number 0 .. *n_cells - 1 is
 *  used.  Errors as ip_estimate; IP_ERR_CONFIG: the estimator has no cells. */
PetscErrorCode ip_estimate_cells(const ip_layer *layer, const ip_column *column,
                                 ip_workspace *work, size_t *n_cells, uint32_t cell[]);

/** The same for one column by the slow reference. */
PetscErrorCode ip_estimate_reference(const ip_layer *layer, const ip_column *column,
                                     ip_information *out);
