#pragma once

/** @file
 *  A study: which networks to train (plan), who trains them (schedule), training one (run), and
 *  what was seen (record).
 *
 *      options + data -> plan -> claim -> train -> snapshot -> estimate -> record -> sink
 *
 *  Only the schedule speaks MPI.  The study does not know what becomes of a record: it hands it
 *  to a sink, a function and its context.
 */

#include <infoplane/bottleneck.h>
#include <infoplane/core.h>
#include <infoplane/dataset.h>
#include <infoplane/estimator.h>
#include <infoplane/network.h>
#include <infoplane/options.h>

/* ---- data sets of a study -------------------------------------------------------------------- */

/** What a plan needs of a data set, as a results file keeps it. */
typedef struct {
  int64_t n, d, k; /**< patterns, features, classes       */
  bool certain;    /**< labels are                        */
  uint64_t checksum;
  size_t n_curve;              /**< points of its bottleneck curve    */
  const ip_bound_point *curve; /**< or NULL; is copied    */
} ip_data_shape;

/** The distinct data sets that the options name, in order of first use. */
typedef struct {
  size_t n;
  ip_dataset_spec *spec;  /**< texts borrowed from the options           */
  char **label;           /**< what names it in the file                 */
  ip_dataset **set;       /**< NULL until loaded or received             */
  uint64_t *checksum;     /**< XXH3 of the arrays of each, once sealed   */
  ip_data_shape *assumed; /**< of each set that has no patterns, owned */
} ip_data;

/** List them; nothing is read yet.  The options must outlive it. */
PetscErrorCode ip_data_create(const ip_options *options, ip_data **data);
/** Read all whose shape is not there yet.  IP_ERR_DATA, IP_ERR_NO_INPUT. */
PetscErrorCode ip_data_load(ip_data *data);
void ip_data_seal(ip_data *data); /**< take the checksums; ip_data_load does it itself    */
void ip_data_destroy(ip_data **data);

/** Take data set i as having this shape, without its patterns: enough for a plan, for layout and
 *  checksums of a file, not for training.  IP_ERR_DATA: no data set can have it. */
PetscErrorCode ip_data_assume(ip_data *data, size_t i, const ip_data_shape *shape);

/** Assume of those data sets that `known` names too what was assumed of them there. */
PetscErrorCode ip_data_adopt(ip_data *data, const ip_data *known);

/** The information-bottleneck curve of data set i, whose labels are not certain, at the betas
 *  ip_bottleneck_beta(0 .. n-1): as assumed, or solved; then PETSc must be up.  IP_ERR_CONFIG: certain labels;
 *  IP_ERR_INTERNAL: a point that does not converge. */
PetscErrorCode ip_data_curve(const ip_data *data, size_t i, size_t n, ip_bound_point point[]);

/* ---- plan ------------------------------------------------------------------------------------ */

/** A shape of network, as it stands on the axis `architecture`: input, hidden, output. */
typedef struct {
  size_t layers;  /**< hidden + 1                           */
  int32_t *width; /**< shape (layers + 1); [0] = features   */
  char *label;    /**< "12-10-7-5-4-3-2"                    */
} ip_architecture;

/** What is measured of some runs: the union over their blocks. */
typedef struct {
  size_t n_looks;   /**<                                                       */
  int32_t *look;    /**< shape (n_looks): indices into plan->epoch, ascending  */
  size_t n_columns; /**<                                                       */
  int32_t *column;  /**< shape (n_columns): indices into plan->column          */
  size_t gradient_batch;
  ip_save save;
  bool activations; /**< kept in a file of the run's own                       */
} ip_measure;

/** One network to train. */
typedef struct {
  const ip_value
      *value[IP_KEYS]; /**< of IP_SCOPE_RUN; NULL: not given; borrowed from options */
  uint64_t seed;
  uint32_t replicate;
  int32_t data, architecture,
      measure;    /**< indices                                            */
  int32_t epochs; /**< last epoch                                                          */
  int32_t
      train_size; /**< rint(fraction n)                                                    */
  int64_t batch;  /**< full is train_size; at most train_size                              */
  double cost;    /**< predicted, elementary operations: longest first                     */
  double cost_epoch,
      cost_look; /**< its parts: of one epoch, of one look                      */
  int32_t
      number; /**< of the complete plan, as people know the run; its row, but in a share   */
} ip_run;

/** Everything that will be done: the grid of every block with equal runs planned once, rows
 *  ordered with the replicate slowest.  The same on every rank.
 *
 *  A row is what one rank claims and seals.  It is a run, but where activations are given (data set
 *  `activations`): then the plan has one run, and its rows are parts of it: one for each look, whose
 *  number is the epoch, and a last one, of number -1, for what follows from all looks together.
 *
 *  A share i/n has some of the runs of the complete plan, all else is that of the complete one: axes,
 *  columns, numbers of runs.  Runs are dealt by predicted cost, the longest first, to and fro (1..n,
 *  n..1, 1..n, ...), and stand in each share by number: the plan alone decides, shares have equally
 *  many runs but for one, and about the same work whatever the grid. */
typedef struct {
  const ip_options *options; /**< borrowed                                        */
  const ip_data *data;       /**< borrowed                                        */
  size_t n_runs;             /**< rows                                            */
  ip_run *run;
  size_t parts;     /**< rows that make one run of the file: 1, or n_epochs + 1  */
  size_t n_studies; /**< blocks; name: options->block[s].name            */
  int8_t *in_study; /**< shape (n_runs, n_studies)                       */
  size_t n_epochs;
  int32_t *epoch; /**< union of looked-at epochs, ascending            */
  size_t n_columns;
  ip_column *column; /**< union of columns, in order of first use         */
  size_t n_architectures;
  ip_architecture *architecture;
  size_t n_layers; /**< of the deepest                                  */
  size_t n_measures;
  ip_measure *measure;
  size_t n_parameters;  /**< largest, 0 where no weights are kept            */
  ip_save save;         /**< most that any run keeps                         */
  size_t share, shares; /**< i and n; shares <= 1: the complete plan         */
  size_t n_complete;    /**< runs of the complete plan                       */
} ip_plan;

/** Make the plan.  Needs the shapes (n, d, k) of the loaded data sets, not their contents.
 *  IP_ERR_CONFIG: what cannot be trained (an empty training set, ...), naming the block; more shares
 *  than runs. */
PetscErrorCode ip_plan_create(const ip_options *options, const ip_data *data, ip_plan **plan);
void ip_plan_destroy(ip_plan **plan);

enum { IP_SHARE_TEXT = 48 };

/** "2/8"; "1/1" for a complete plan. */
void ip_share_name(const ip_plan *plan, char text[IP_SHARE_TEXT]);

/** Epochs of a look preset or list for a run that ends at `last`: ascending, 0 and last always
 *  among them, what lies beyond dropped.  Release *epoch with ip_release. */
PetscErrorCode ip_look_epochs(const ip_value *look, int32_t last, size_t *n, int32_t **epoch);

/** Weights and biases of a run's network. */
size_t ip_run_parameters(const ip_plan *plan, size_t run);

/** What a run is, as text: its science keys and the checks of its data set; the identity that
 *  enters its checksum. */
PetscErrorCode ip_plan_identity(const ip_plan *plan, size_t run, ip_text *text);

/** What is measured and kept of a run, as text: epochs, columns, gradient_batch, save. */
PetscErrorCode ip_plan_measures(const ip_plan *plan, size_t run, ip_text *text);

/** The activations are given: rows are parts of the only run. */
bool ip_plan_is_given(const ip_plan *plan);

/** Whether the looks of a run have so much KDE that ranks_per_run > 1 shares it out; else assistants
 *  have nothing to do. */
bool ip_run_is_shared(const ip_plan *plan, size_t run);

/** Bytes that one rank needs for a run, the largest over the plan: record, weights, snapshot; where
 *  ranks_per_run share looks, also what an assistant has made and not yet handed over, at most. */
size_t ip_plan_memory(const ip_plan *plan, size_t ranks_per_run);

/* ---- record ---------------------------------------------------------------------------------- */

typedef enum {
  IP_STATUS_PENDING,
  IP_STATUS_DONE,
  IP_STATUS_DIVERGED,
  IP_STATUS_FAILED
} ip_status;
const char *ip_status_name(size_t i); /**< pending done diverged failed */

/** Axes beyond `run` of what a run records. */
typedef enum {
  IP_AXIS_COLUMN,
  IP_AXIS_EPOCH,
  IP_AXIS_LAYER,
  IP_AXIS_WEIGHT, /**< flat parameters; length 0 where no weights are kept           */
  IP_AXIS_LOOKED, /**< epoch with save looked, else one (the last)                   */
  IP_AXIS_BOUND,  /**< 2: the looks before and at which an event is seen             */
  IP_AXES
} ip_axis;

typedef enum { IP_FLOAT64, IP_FLOAT32, IP_INT64, IP_INT32, IP_INT8, IP_UINT64 } ip_number;
size_t ip_number_size(ip_number type);

/** One thing that a run records: a row of record.def beside this header.  Cells that a run does
 *  not measure stay NaN (integers: -1). */
typedef struct {
  const char *name;
  ip_number type;
  size_t n_axes;
  ip_axis axis[3];
  const char *unit, *long_name, *definition, *reference;
} ip_field;

typedef enum {
#define IP_FIELD(type, name, ...) IP_FIELD_##name,
#include <infoplane/record.def>
#undef IP_FIELD
  IP_FIELDS
} ip_field_index;

const ip_field *ip_field_row(size_t i); /**< NULL past the end */

/** Elements of an axis in this plan. */
size_t ip_axis_length(const ip_plan *plan, ip_axis axis);

/** Elements of a field for one run of this plan; 0: the file does not have it. */
size_t ip_field_length(const ip_plan *plan, size_t field);

/** What was seen of one run: one array per field, row-major in the order of its axes. */
typedef struct {
  const ip_plan *plan; /**< borrowed                                       */
  size_t run;
  ip_status status;
  double seconds;         /**< wall time of training and measuring            */
  void *array[IP_FIELDS]; /**< NULL where ip_field_length is 0             */
} ip_record;

PetscErrorCode ip_record_create(const ip_plan *plan, ip_record **record);
void ip_record_destroy(ip_record **record);
/** Begin anew for this run: every cell NaN or -1. */
void ip_record_reset(ip_record *record, size_t run);

/* ---- checkpoint ------------------------------------------------------------------------------ */

/** A piece of the memory that is the state of a run. */
typedef struct {
  void *at;
  size_t bytes;
} ip_piece;

/** How far a run is: between two pieces of work, when nothing is half done, this is all there is
 *  to know.  The same pieces in the same order save it and put it back. */
typedef struct {
  size_t run;
  double share; /**< of the run's predicted cost that is done, 0 .. 1      */
  size_t n;     /**< pieces                                                */
  const ip_piece *piece;
} ip_checkpoint;

/** Most bytes that the checkpoint of any run of the plan has. */
size_t ip_checkpoint_bytes(const ip_plan *plan);

/** Keeps checkpoints: functions and their context, as the store has them.  Independent. */
typedef struct {
  void *context;
  double seconds; /**< of work between two of a run, beside the one at a stop */
  PetscErrorCode (*save)(void *context, const ip_checkpoint *checkpoint);
  /** *found = false: there is none that fits, and the pieces may hold anything. */
  PetscErrorCode (*load)(void *context, const ip_checkpoint *checkpoint, bool *found);
  /** The share of a run that its checkpoint holds; 0: it has none. */
  double (*share)(void *context, size_t run);
} ip_keeper;

/* ---- run ------------------------------------------------------------------------------------- */

/** Called between epochs, and between layers of a look, where nothing is half done: rank 0 answers
 *  messages here, others hear of a stop.  *stop = true: give the run up now.
 *  progress: share of the run's predicted cost that is done, 0 .. 1. */
typedef PetscErrorCode (*ip_pause)(void *context, double progress, bool *stop);

/** A look that several measure together: layers first .. last of a run's network. */
typedef struct {
  size_t run, first;
  size_t n;             /**< parameters                */
  const float *weights; /**< shape (n): at this look   */
} ip_shared_look;

/** Others who assist in measuring, as the schedule has them.  They see the same plan and data. */
typedef struct {
  void *context;
  /** They begin with this look; *crew: how it is shared, we are its member 0. */
  PetscErrorCode (*call)(void *context, const ip_shared_look *look, ip_crew *crew);
  /** The look is over.  measured = false: it is given up, what they have not done is not needed.
   *  An error that one of them had is returned at the latest here. */
  PetscErrorCode (*dismiss)(void *context, bool measured);
} ip_assistants;

/** A run whose activations are to be kept, all borrowed. */
typedef struct {
  const ip_plan *plan;
  size_t run, n_looks; /**< the first looks of its measure: all, or those before it diverged */
  const ip_dataset *data;
  const int32_t *y; /**< shape (patterns): labels of this replicate                        */
  const ip_split *split;
} ip_archived;

/** Keeps activations, as the store does: begin, put every layer of every look in order, end.
 *  Independent.  IP_ERR_IO, IP_ERR_LOCKED; IP_ERR_CREATE: something else has that name. */
typedef struct {
  void *context;
  PetscErrorCode (*begin)(void *context, const ip_archived *what);
  /** Layer from 1; t: shape (units, stride), unit-major. */
  PetscErrorCode (*put)(void *context, size_t look, size_t layer, size_t stride,
                        const float *t);
  /** whole = false: given up, nothing of it stays. */
  PetscErrorCode (*end)(void *context, bool whole);
} ip_archive;

/** Runs that were trained before and kept the weights of every look, as the store has them: a function
 *  and its context.  Independent. */
typedef struct {
  void *context;
  /** Put into the record, which is of the same run, all that columns do not say: weights, loss,
   *  gradients, ..., and the status, done or diverged.  IP_ERR_IO: it cannot be read any more. */
  PetscErrorCode (*get)(void *context, ip_record *record);
} ip_trained;

/** Who is asked while a run trains; what is NULL is not. */
typedef struct {
  ip_pause pause;
  void *context;
  const ip_keeper *keeper;
  const ip_archive *archive; /**< of runs whose measure says so */
  const ip_trained
      *trained; /**< has the run: it is measured again, not trained; no keeper then */
  const ip_assistants *assistants;
} ip_company;

/** Train one network from first to last epoch and record what is looked at; from its checkpoint,
 *  where the keeper has one, to the same bits.  Serial.  company may be NULL.
 *  A parameter or loss that is not finite ends the run as diverged, with its epoch.
 *  *stopped = true: given up, the record is worthless; the keeper has what was done.
 *  IP_ERR_IO, IP_ERR_LOCKED: of the keeper; all others are the run's own. */
PetscErrorCode ip_run_train(const ip_plan *plan, size_t run, const ip_company *company,
                            ip_record *record, bool *stopped);

/** Of given activations: what follows from all looks together, once the record has all of them; it is
 *  that of the last row afterwards.  diverged_epoch: the first whose activations are not finite, -1:
 *  none. */
PetscErrorCode ip_given_conclude(const ip_plan *plan, ip_activations *activations,
                                 int32_t diverged_epoch, ip_record *record);

/* ---- schedule -------------------------------------------------------------------------------- */

/** Takes a finished record: on every rank, independently. */
typedef PetscErrorCode (*ip_sink)(void *context, const ip_record *record);

/** How far the sweep is; rank 0 only. */
typedef struct {
  size_t runs, done, diverged,
      failed; /**< of the plan; done in earlier launches counted      */
  size_t running;
  size_t given_up; /**< begun and stopped: they have checkpoints where there is a keeper */
  double work, work_done; /**< predicted, of this launch, and of what of it is done           */
  int signal;             /**< one that another rank received, 0 = none                       */
  const char *notice;     /**< why a run failed, once, or NULL                                */
  int32_t notice_run;     /**< its number                                                     */
} ip_progress;

/** Called on rank 0 several times a second; *stop = true asks all ranks to stop cleanly.
 *  An error ends the study. */
typedef PetscErrorCode (*ip_watch)(void *context, const ip_progress *progress, bool *stop);

/** The signal that this process was sent and that asks it to stop, 0 = none. */
typedef int (*ip_signaled)(void);

/** The shares of a sweep's wall time, 0 .. 1, in which ranks trained, measured and stored. */
typedef struct {
  size_t ranks; /**< 0: none of these, and no shares */
  double least, mean, most;
} ip_busy;

/** What is to be trained, and who takes and hears of it. */
typedef struct {
  const ip_plan *plan;
  size_t n;            /**< runs to train, the same on every rank                         */
  const int32_t *todo; /**< shape (n)                                                     */
  ip_activations *activations; /**< of a plan where they are given; each rank has its own  */
  int8_t *status; /**< shape (plan->n_runs): what is known; on rank 0 kept up to date */
  ip_sink sink;
  void *sink_context;
  ip_watch watch; /**< or NULL                                                            */
  void *watch_context;
  ip_signaled signaled; /**< or NULL; asked on ranks > 0, the watch of rank 0 hears of it    */
  const ip_keeper
      *keeper; /**< or NULL: what is given up begins anew                          */
  const ip_archive *archive; /**< or NULL: no activations are kept                         */
  const ip_trained *trained; /**< or NULL: nothing was trained before                      */
  const double
      *predicted; /**< shape (plan->n_runs): seconds of each run, that weigh the watch's
                               work; or NULL: the plan's cost does */
  double
      stall; /**< seconds without any progress of a rank that end the study; 0: see below     */
  size_t ranks_per_run; /**< that measure one run together; 0 is 1                            */
  ip_busy *busy; /**< shape (2) or NULL, as on all ranks: of ranks that train, of assistants  */
} ip_sweep;

enum { IP_STALL_SECONDS = 1800, IP_STALL_STEPS = 20 };
enum { IP_RANK_0_TRAINS = 64 }; /**< up to so many ranks that train, rank 0 does too */

/** Ranks of a sweep that train, where ranks_per_run consecutive ones work on a run. */
int ip_study_leaders(int ranks, size_t ranks_per_run);

/** Train the runs of a sweep, those with a checkpoint and then the longest predicted first, handed
 *  out by rank 0, which trains too (not above 64 ranks).  A run that cannot be trained is recorded
 *  as failed, and the sweep goes on.
 *
 *  With ranks_per_run = k the ranks 0, k, 2k, ... train; the k - 1 behind each (fewer behind the
 *  last) assist it in measuring and sleep else.  Records have the same bits for any k.
 *
 *  Rank 0 watches all others and they watch it: who gives no sign for `stall` seconds (0: half an
 *  hour, or 20 predicted steps of the run where that is longer) ends the study with
 *  IP_ERR_ENVIRONMENT on the rank that noticed.  A step is an epoch or a look.  What merely slept
 *  with all others (a suspended job) has not stalled.
 *
 *  *stopped = true (the same on every rank): a stop was asked for, runs are left.  Collective.
 *  An error of sink, watch or MPI is returned by the rank that has it; the others still wait. */
PetscErrorCode ip_study_run(MPI_Comm comm, const ip_sweep *sweep, bool *stopped);

/* ---- what it will take ------------------------------------------------------------------------- */

/** Terms of the cost model: rows of cost.def beside this header. */
typedef enum {
#define IP_COST(id, ...) IP_COST_##id,
#include <infoplane/cost.def>
#undef IP_COST
  IP_COSTS
} ip_cost;

const char *ip_cost_name(size_t i);     /**< ip_names of the terms */
const char *ip_cost_sentence(size_t i); /**< what one of it is; NULL past the end */

/** Seconds that one of each term takes on some machine. */
typedef struct {
  double second[IP_COSTS];
} ip_rates;

ip_rates ip_rates_default(void); /**< of no machine in particular */

typedef enum { IP_PART_EPOCH, IP_PART_LOOK, IP_PART_RUN, IP_PARTS } ip_part;

/** How much of each term one epoch of a run, one of its looks, and the run beside these have; 0 of
 *  what belongs to the launch. */
void ip_cost_count(const ip_plan *plan, size_t run, ip_part part, double count[IP_COSTS]);

/** Bottleneck curves that a new file of this plan has. */
double ip_cost_curves(const ip_plan *plan);

/** Something of known counts, timed. */
typedef struct {
  double count[IP_COSTS];
  double seconds;
} ip_timing;

/** Rates, none negative, with the least sum of squares of the relative errors over n timings; a term
 *  that occurs in none keeps its rate.  *error: root mean square of the relative errors.
 *  IP_ERR_INTERNAL: a timing of no seconds. */
PetscErrorCode ip_rates_fit(size_t n, const ip_timing timing[], ip_rates *rates, double *error);

/** What the schedule sees of one run. */
typedef struct {
  double seconds; /**< from claim to record                                          */
  double alone;   /**< the same without others who assist: the work there is in it   */
  double ahead;   /**< before its end, when the next run is asked for                */
  double pause;   /**< until rank 0, in the middle of it, looks for messages again   */
} ip_run_time;

/** Runs of a plan, on a machine.  Of ranks that share the looks of a run it is assumed that nobody
 *  waits for another. */
typedef struct {
  const ip_plan *plan;
  const ip_rates *rates;
  size_t n;
  const int32_t *todo;  /**< shape (n), or NULL: runs 0 .. n-1                    */
  const double *done;   /**< shape (plan->n_runs): shares done before; or NULL    */
  size_t ranks_per_run; /**< that share the KDE of each                           */
} ip_times_of;

/** time: shape (n), in the order in which the runs are handed out. */
PetscErrorCode ip_run_times(const ip_times_of *of, ip_run_time time[]);

/** A launch to be simulated. */
typedef struct {
  size_t n;
  const ip_run_time *time; /**< shape (n): in the order in which they are handed out       */
  const ip_run_time *last; /**< the same in a last group of fewer ranks; NULL: as the others */
  size_t ranks, ranks_per_run;
  double before;  /**< seconds until the first run is claimed                               */
  double message; /**< seconds on its way                                                   */
  double handing; /**< seconds of rank 0 for each run that another rank is given            */
} ip_launch;

typedef struct {
  double wall;       /**< seconds until the last rank has done its last run      */
  double efficiency; /**< work / (ranks wall), 0 .. 1                            */
  double longest;    /**< seconds of the longest run: no number of ranks is faster */
} ip_forecast;

/** What a launch will take, by playing the schedule through: rank 0 hands out the runs in order,
 *  trains too (not above IP_RANK_0_TRAINS) and answers when it pauses.  Serial, seconds for 65,536
 *  ranks and 200,000 runs.  IP_ERR_CONFIG: no ranks. */
PetscErrorCode ip_launch_simulate(const ip_launch *launch, ip_forecast *forecast);
