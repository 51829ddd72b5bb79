#pragma once

/** @file
 *  A results file as figures see it: studies, groups of runs that differ in their replicate
 *  alone, and curves read when they are needed.  Private to the view.
 *
 *  Only coordinates stay in memory: a curve is read run by run, so that a file may be larger than
 *  memory.
 */

#include <infoplane/store.h>

/** A coordinate of the runs that names groups: an option (train_fraction, activation, ...), the
 *  data set, the architecture. */
typedef struct {
  char *name, *unit;
  size_t n_words; /**< words that the numbers stand for; 0: a plain number */
  char **word;
} sweep_key;

/** Runs of one study that differ in seed and replicate alone. */
typedef struct {
  double *key;                      /**< shape (n_keys): its coordinates                      */
  size_t architecture, data;        /**< places on their axes                                 */
  size_t n;                         /**< finished runs                                        */
  size_t *run;                      /**< shape (n): rows of the file, by seed and replicate   */
  double *seed, *replicate;         /**< shape (n): what pairs runs of two groups             */
  size_t diverged, failed, pending; /**< the others                                           */
  size_t train_size, batch;         /**< patterns                                             */
  size_t layers, features;          /**< of its network                                       */
  int32_t *width;                   /**< shape (layers): units; the last is the output        */
  size_t n_looks;                   /**< 0 while no run is finished                           */
  int32_t *look;                    /**< shape (n_looks): places on the axis epoch, ascending */
  double *updates;                  /**< shape (n_looks): optimizer steps before each look    */
  char *label;                      /**< what tells it from the others of its study, or ""    */
  char *slug;                       /**< the same for a file name: [a-z0-9_.-]                */
} sweep_group;

/** A block of the plan. */
typedef struct {
  char *name; /**< as in the file                      */
  char *slug; /**< the same for a file name            */
  size_t n;
  sweep_group *group; /**< in order of their first run */
  bool *varies;       /**< shape (n_keys): the groups differ in it */
} sweep_study;

typedef struct {
  char *path;
  ip_results *file;
  size_t n_runs, n_columns, n_epochs, n_layers, n_keys, n_studies;
  bool given;                  /**< of infoplane estimate: nothing is known of training */
  int32_t *epoch;              /**< shape (n_epochs)                                */
  char **column;               /**< shape (n_columns): names                        */
  char **column_kind;          /**< "binning", "kde"                                */
  char **column_on;            /**< "full", "train", "test"                         */
  double *noise_variance;      /**< shape (n_columns): NaN where there is none      */
  char **architecture, **data; /**< labels along their axes                       */
  sweep_key *key;
  sweep_study *study;
} sweep;

/** IP_ERR_DATA: damaged, so that what is drawn would be wrong, or drawing it would come to no end. */
PetscErrorCode sweep_open(const char *path, sweep **result);
void sweep_close(sweep **result);

/** Of sweep_open: the widths are those that the architecture names, events are at looks. */
PetscErrorCode sweep_check_group(const sweep *s, const sweep_group *g);

enum { SWEEP_NONE = -1 };

/** Place of a name, SWEEP_NONE if it is not there. */
int sweep_column(const sweep *s, const char *name);
int sweep_key_find(const sweep *s, const char *name);
/** The column that tables show when one must do: bin30, else the first of kind binning, else 0;
 *  SWEEP_NONE in a file without columns. */
int sweep_main_column(const sweep *s);

/** The file has this variable. */
bool sweep_has(const sweep *s, const char *field);

/** Value of a key as people read it: "85 %", "tanh", "0.0004", "full batch". */
void sweep_key_format(const sweep *s, const sweep_group *g, size_t key, char text[64]);

/** A field of one run over all epochs of the file: shape (n_epochs, n_layers) for fields of
 *  (column, epoch, layer) and (epoch, layer), (n_epochs) for fields of (epoch).  column is not read
 *  where the field has none.  Not measured: NaN.  Bits, nats as in the file. */
PetscErrorCode sweep_curve(const sweep *s, const char *field, size_t run, size_t column,
                           double value[]);

/** The same at one place on the axis epoch: shape (n_layers) or (1). */
PetscErrorCode sweep_at(const sweep *s, const char *field, size_t run, size_t column, int32_t e,
                        double value[]);

/** All of a run's cells of a field without an epoch axis, e.g. peak_epoch (column, layer, bound),
 *  seconds: give its path "timing/seconds".  value: all cells, row-major. */
PetscErrorCode sweep_cells(const sweep *s, const char *field, size_t run, double value[]);

/** Mean and standard deviation over the finished runs of a group, streamed run by run: shape as
 *  sweep_curve.  Cells that are NaN in any run are NaN. */
PetscErrorCode sweep_mean(const sweep *s, const sweep_group *g, const char *field,
                          size_t column, double mean[], double deviation[]);

/** Pairs of runs with equal seed and replicate: a[i], b[i] are places in g->run, h->run; both
 *  of room for min(g->n, h->n).  Returns how many. */
size_t sweep_pairs(const sweep_group *g, const sweep_group *h, size_t a[], size_t b[]);

/** Look of the group nearest to an epoch; the last for INT32_MAX. */
size_t sweep_look_near(const sweep *s, const sweep_group *g, int32_t epoch);

/** Updates done at this epoch of the group's looks (an entry of the file's epoch axis), NaN for
 *  what is none of its looks; for transition epochs, which are looks. */
double sweep_updates_at(const sweep *s, const sweep_group *g, double epoch);
