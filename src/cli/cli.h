#pragma once

/** @file
 *  The program: verbs, what is typed, and what is shown.  Private to cli.
 *
 *  Verbs return the exit code; messages go to stderr, results to stdout, from one rank only.
 */

#include <infoplane/store.h>
#include <infoplane/study.h>
#include <stdio.h>

/* ---- what was typed ----------------------------------------------------------------------------- */

/** Options of one verb: --name, or --name VALUE. */
typedef enum {
  OPTION_RANKS,
  OPTION_FOR,
  OPTION_NODES,
  OPTION_RANKS_PER_NODE,
  OPTION_TIME,
  OPTION_CALIBRATE,
  OPTION_RATES,
  OPTION_MAN,
  OPTIONS
} option_index;

typedef struct {
  const char *verb, *name;
  const char *value; /**< what stands for it in the help; NULL: it takes none */
  const char *sentence;
} option_row;

const option_row *option_of(size_t i); /**< NULL past the end */

typedef struct {
  const char *program;
  const char *verb;
  const char *operand;         /**< input file, results file or topic; NULL if none    */
  size_t n_more;               /**< operands after the first, of merge                 */
  const char **more;           /**<                                                    */
  const char *output;          /**< -o FILE, NULL if not given                         */
  size_t n_settings;           /**< key=value                                          */
  const char **setting;        /**<                                                    */
  size_t n_petsc;              /**< -petsc_X [value]: handed to PETSc as -X            */
  const char **petsc;          /**<                                                    */
  const char *option[OPTIONS]; /**< its value, "" where it takes none; NULL if not given */
  bool quiet, verbose;         /**< -q, -v                                             */
  bool help, version;          /**< --help, --version                                  */
  int count;                   /**< as main has them, for the record of the launch     */
  char **text;                 /**<                                                    */
} arguments;

PetscErrorCode arguments_read(int argc, char **argv, arguments *a);
void arguments_clear(arguments *a);

/* ---- verbs -------------------------------------------------------------------------------------- */

typedef struct {
  const char *name, *usage, *sentence;
  int (*act)(const arguments *a);
} verb;

const verb *verb_row(size_t i);
const char *verb_name(size_t i); /**< ip_names of the verbs */

int verb_run(const arguments *a);
int verb_estimate(const arguments *a);
int verb_remeasure(const arguments *a);
int verb_plan(const arguments *a);
int verb_status(const arguments *a);
int verb_check(const arguments *a);
int verb_merge(const arguments *a);
int verb_grow(const arguments *a);
int verb_compact(const arguments *a);
int verb_cite(const arguments *a);
int verb_doctor(const arguments *a);
int verb_diff(const arguments *a);
int verb_figures(const arguments *a);
int verb_report(const arguments *a);
int verb_bound(const arguments *a);
int verb_help(const arguments *a);
int verb_explain(const arguments *a);
int verb_completion(const arguments *a);

/** --help and --version, which any verb may have beside it. */
int answer(const arguments *a);

/** The exit code of a verb that wrote HDF5 without MPI; ends the program where HDF5 cannot. */
int leave_serially(int exit_code);

/** Print the kept message on stderr (-v: and where it was raised) and return its exit code. */
int report_error(const arguments *a, PetscErrorCode code);

/* ---- what has a help of its own ------------------------------------------------------------------ */

/** One kind of topics. */
typedef struct {
  ip_names name;
  PetscErrorCode (*help)(const char *topic, ip_text *text);
} topic_kind;

const char *topic_name(size_t i); /**< ip_names of all of them; some occur twice */

/** Code and meaning of row i of the exit codes; false past the end. */
bool exit_row(size_t i, const char **code, const char **meaning);

/** The verb takes such an operand or settings: as its usage line says. */
typedef enum {
  TAKES_INPUT,
  TAKES_RESULTS,
  TAKES_TOPIC,
  TAKES_VARIABLE,
  TAKES_KEYS,
  TAKES_OUTPUT
} takes;
bool verb_takes(const verb *v, takes what);

/** The manual page, on stdout. */
void print_manual(void);

/* ---- the input, on one rank and on all ------------------------------------------------------------ */

/** An input file with everything that follows from it. */
typedef struct {
  char *name, *text;
  size_t length;
  ip_options *options;
  ip_data *data;
  ip_plan *plan;
  ip_activations *activations; /**< of infoplane estimate, of this rank                       */
} input;

/** Read the file and parse it; then load the data and make the plan. Serial. */
PetscErrorCode input_read(const arguments *a, input *in);
PetscErrorCode input_plan(input *in);
/** Parse a text that is there. */
PetscErrorCode input_parse(const arguments *a, input *in);
void input_clear(input *in);

/** Rank 0 has read; all others receive text and data and make the same plan. Collective. */
PetscErrorCode input_share(MPI_Comm comm, const arguments *a, input *in);

/** Default results file: the input's name with .h5, of a share with .i-of-n.h5, in the current
 *  folder; of activations NAME_mi.h5; -o otherwise. */
PetscErrorCode output_path(const arguments *a, const ip_options *options, char **path);

/** Do the study whose input `read` makes, before MPI and on the launcher's rank 0 alone.  trained: its
 *  runs are not trained, but those of the file that the operand names, measured again.  Returns the exit
 *  code. */
int conduct_study(const arguments *a, PetscErrorCode (*read)(const arguments *a, input *in),
                  bool trained);

/* ---- activations that are given ------------------------------------------------------------------- */

/** What the file of activations makes doubtful, on stderr; before it is measured. */
PetscErrorCode warn_of_input(const input *in);
/** Where a number would mislead, on stderr; the record has all looks. */
PetscErrorCode warn_of_numbers(const input *in, const ip_record *record);

/* ---- MPI and PETSc start and end here -------------------------------------------------------------- */

typedef struct {
  MPI_Comm comm;
  int rank, size;
  bool started;  /**< MPI and PETSc are up                                          */
  bool together; /**< the last error is known to all ranks: no abort is needed      */
  int words;     /**< command line of PETSc, which keeps it                         */
  char **word;
} launch;

/** Rank and size as the launcher's environment says, before MPI: 0 of 1 without one. */
void launcher_place(int *rank, int *size);

/** Start PETSc and MPI with nothing hidden: no .petscrc, no PETSC_OPTIONS, ROMIO for MPI-IO.
 *  IP_ERR_ENVIRONMENT where a launcher started many programs of one rank each. */
PetscErrorCode launch_begin(const arguments *a, launch *l);

/** Rank 0's code to all ranks. Collective. */
PetscErrorCode launch_agree(launch *l, PetscErrorCode code);

/** End; returns the exit code: the same on all ranks, or MPI_Abort for an error of one. */
int launch_end(launch *l, const arguments *a, PetscErrorCode code, int exit_code);

/** "Open MPI 4.1.4 (romio321)  HDF5 1.10.8 parallel  PETSc 3.18.5  AVX2" */
PetscErrorCode versions_line(ip_text *text);
/** Every library with its version, a line each. */
PetscErrorCode versions_list(ip_text *text);
/** One JSON object that describes this launch. Collective; text is filled on rank 0. */
PetscErrorCode launch_json(const launch *l, const arguments *a, ip_text *text);

/* ---- signals ------------------------------------------------------------------------------------- */

/** From now on SIGUSR1, SIGTERM and SIGINT leave a note and nothing else. */
void signals_catch(void);
int signals_noted(void); /**< the last of them, 0 = none; an ip_signaled */

/* ---- runs that were trained before ----------------------------------------------------------------- */

/** What the file proves of each run, every rank proving its share: shape (n_runs), an ip_status or
 *  IP_FOUND_DAMAGED.  Collective. */
PetscErrorCode prove_trained(const launch *l, ip_trained_runs *runs, const ip_plan *plan,
                             int8_t there[]);
bool is_trained(int8_t status); /**< it can be measured again */
/** Those that cannot, on stderr. */
PetscErrorCode say_untrained(const char *path, const ip_plan *plan, const int8_t there[]);

/* ---- what is shown while it runs: rank 0 ----------------------------------------------------------- */

/** What progress is about; borrowed, but for the time. */
typedef struct {
  const char *path; /**< results file: <path>.stop stops          */
  bool quiet;
  const char *noun; /**< "run", or "part" of the only one            */
  double started;   /**< of the program, as seconds_now tells it  */
  double limit;     /**< max_time in seconds, 0 = none            */
  size_t n;         /**< runs of this launch                      */
  ip_lock *lock;    /**< gets the heartbeat, or NULL              */
} progress_of;

typedef struct {
  const char *noun;
  FILE *to;    /**< stdout, or NULL: say nothing                          */
  int columns; /**< of the terminal whose last line is rewritten, 0: none */
  bool color, ended;
  double started, trained;      /**< seconds_now at start of program and training          */
  double shown, beaten, looked; /**< when the line, the lock, the stop file had their turn */
  double limit;
  size_t n;
  char *stop_file;
  ip_lock *lock;
  int exit_code;    /**< 0: go on; 75, 130, 143: stop                          */
  ip_progress last; /**< as seen last                                          */
} progress;

PetscErrorCode progress_begin(const progress_of *of, progress *p);
/** An ip_watch: the line, the heartbeat, and reasons to stop. */
PetscErrorCode progress_watch(void *context, const ip_progress *seen, bool *stop);
/** The last line.  The stop file is removed: it has had its effect, or came too late. */
void progress_end(progress *p);
double progress_seconds(const progress *p); /**< since the program started */
double seconds_now(void);                   /**< of a clock that only moves forward */

/* ---- what is said before and after: rank 0 ---------------------------------------------------------- */

/** "8 networks 12-10-7-5-4-3-2, tanh, 85 % of 4096 patterns, 10000 epochs" */
PetscErrorCode describe_plan(const ip_plan *plan, ip_text *text);

/** What a sweep found when it began, and where it stands. */
typedef struct {
  const input *in;
  const char *path;
  bool created;          /**< the results file is new                                       */
  size_t damaged;        /**< runs whose checksum does not fit                              */
  size_t begun;          /**< runs with a checkpoint                                        */
  bool keeps;            /**< checkpoints are written                                       */
  size_t n_todo;         /**< runs of this launch                                           */
  size_t named_and_done; /**< runs that `only` names and that stay as they are              */
  size_t missing;        /**< runs that cannot be measured again and are left               */
  const int8_t *status;  /**< shape (runs)                                                  */
  int ranks;             /**<                                                               */
  size_t ranks_per_run;  /**< as asked for                                                  */
  const ip_busy *busy;   /**< shape (2): ranks that train, assistants; at the end           */
  double predicted;      /**< seconds of this launch; 0: the machine is not calibrated      */
} standing;

size_t count_status(const standing *s, ip_status status);
/** " 3 7 and 12 more": the numbers of the runs that have this status; of found n_runs, status and
 *  number count. */
void list_runs(FILE *to, const ip_findings *found, int8_t which);
/** Runs that are not done, by kind, each with what to do: `command` continues the file. */
void say_findings(FILE *to, const ip_findings *found, const char *command);
size_t count_found(const ip_findings *found, int8_t status);
PetscErrorCode say_beginning(const standing *s);
/** ", \"busy\": [least, mean, most]" and the same of assistants, where there are any. */
PetscErrorCode busy_json(const ip_busy busy[2], ip_text *text);
/** What a row of the plan is: "run", or "part" of the only one where activations are given. */
const char *row_noun(const ip_plan *plan);
/** After a stop. */
void say_stopped(const standing *s, size_t given_up);
/** After the last run; quiet: only what went wrong. */
PetscErrorCode say_end(const standing *s, bool quiet, double seconds);

/* ---- how long it will take -------------------------------------------------------------------------- */

/** Speeds of a machine, as its own file in the cache has them. */
typedef struct {
  ip_rates rates;
  bool measured; /**< false: rates of no machine in particular                  */
  double error;  /**< typical relative error of the fit                         */
  int ranks;     /**< that were busy when it was measured                       */
  char host[256], cpu[128], build[64], date[32];
  ip_text remark; /**< why it is not measured, or what limits it; one line       */
} calibration;

/** Of this host, or of the one named.  A file that is missing, damaged or of another CPU is none: the
 *  default rates, with a remark.  IP_ERR_USAGE: host is named and has none. */
PetscErrorCode calibration_read(const char *host, calibration *c);
/** Where it is kept, in a folder that exists now; release it.  IP_ERR_ENVIRONMENT: no HOME;
 *  IP_ERR_CREATE: no folder. */
PetscErrorCode calibration_place(const calibration *c, char **path);
/** IP_ERR_CREATE, IP_ERR_IO; what was there stays then. */
PetscErrorCode calibration_write(const calibration *c, const char *path);
/** This machine's names, build and date, and nothing measured. */
void calibration_begin(calibration *c);
void calibration_clear(calibration *c);

/** Measure this machine and keep its speeds; started: seconds_now before MPI.  Collective. */
PetscErrorCode calibrate(const arguments *a, launch *l, double started);

/** All runs of the plan, with its ranks_per_run. */
ip_times_of forecast_all(const ip_plan *plan, const ip_rates *rates);
/** A launch of these runs, for each of n numbers of ranks. */
PetscErrorCode forecast_launches(const ip_times_of *of, size_t n, const size_t ranks[],
                                 ip_forecast forecast[]);
/** Seconds of each run of the plan; seconds: shape (plan->n_runs). */
PetscErrorCode forecast_runs(const ip_plan *plan, const ip_rates *rates, double seconds[]);
/** Seconds until the first run is claimed. */
PetscErrorCode forecast_start(const ip_plan *plan, const ip_rates *rates, double *seconds);

/** Ranks that work on a run, as the input asks for. */
size_t ranks_per_run(const ip_plan *plan);
/** Groups of so many that a launch has: each trains a run. */
size_t groups_of(const ip_plan *plan, size_t ranks);
/** Ranks of a launch that keep checkpoints: those that train, or none. */
int checkpointing_ranks(const ip_plan *plan, size_t ranks);
/** What groups of a launch on so many ranks do, and who of them is idle, on stdout: the first line
 *  begins with the label.  Nothing where every rank trains. */
void print_groups(const ip_plan *plan, size_t ranks, const char *label);
/** Says that rank 0 only hands out runs, and so those that would assist it, of so many in a group, are
 *  idle. */
void print_idle(size_t each);

/** Bytes of one rank at most: libraries, data, and what it trains or assists. */
double memory_of_rank(const ip_plan *plan);

/** "35 s", "12 m 05 s", "3 h 05 m": two units, where ip_seconds_format has one. */
void format_duration(double seconds, char text[32]);

/** A job script for Slurm on stdout. */
PetscErrorCode print_slurm(const arguments *a, const input *in, const char *path,
                           const calibration *c);

/* ---- what is shown at the end ---------------------------------------------------------------------- */

/** The table of every group of runs that differ in their replicate alone. */
PetscErrorCode summary_print(FILE *to, const ip_plan *plan, const char *path);
