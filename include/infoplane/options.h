#pragma once

/** @file
 *  What a user may say: one table of every key, and the reader of input files and key=value.
 *
 *  The table (options.def beside this header) stands behind the file, the command line, the help, the
 *  coordinates of the results and their provenance.  A new option is one row.
 *
 *  An input is YAML, read with libyaml, in a restricted form: one document of mappings, lists and
 *  scalars; no anchors, tags or merge keys; a key given twice is an error.  Sections nest
 *  (`train: {batch: 256}`) or are dotted (`train.batch: 256`).  A list where the table says scalar
 *  spans an axis of the grid, if the key is of IP_SCOPE_RUN (and in `on`, where it means columns).
 *  `studies:` is a list of blocks, each overriding the keys outside it; key=value of the command
 *  line overrides in every block.
 *
 *  Of train.epochs and train.updates the one said later counts; both in one place are an error.  A
 *  key that no run of a block uses (dataset.path of symmetric, dataset.gamma without stochastic
 *  labels, ...) is an error where it is given; where it is inherited it is as if it were not given.
 *
 *  Serial; reads text that the caller loaded, no files, so any rank can repeat it.
 */

#include <infoplane/core.h>
#include <infoplane/estimator.h>

/** Index of every key: IP_KEY_DATASET_NAME, ... */
typedef enum {
#define IP_OPTION(id, ...) IP_KEY_##id,
#include <infoplane/options.def>
#undef IP_OPTION
  IP_KEYS
} ip_key;

/** Row of the table; NULL past the end.  (`estimate` is no row: its entries follow the
 *  parameters of the estimators.) */
const ip_parameter *ip_option_row(size_t key);
const char *ip_option_name(size_t key); /**< ip_names of the keys */

/** Words of keys that the code acts on. */
typedef enum { IP_LOOK_SAXE, IP_LOOK_IDNNS, IP_LOOK_LOG } ip_look;
typedef enum { IP_SAVE_NO, IP_SAVE_FINAL, IP_SAVE_LOOKED } ip_save;
enum { IP_BATCH_FULL = 0, IP_SAMPLES_ALL = 0 }; /**< `word` of train.batch, dataset.samples */

/** Where a value came from. */
typedef enum { IP_ORIGIN_DEFAULT, IP_ORIGIN_FILE, IP_ORIGIN_COMMAND_LINE } ip_origin;

/** The values of one key in one block, >= 1 each; more than one only for IP_SCOPE_RUN. */
typedef struct {
  size_t n;
  ip_value *value;
  bool
      given; /**< false: the default, or for a key without default that there is none (n = 0) */
  ip_origin origin;
  int line, column; /**< IP_ORIGIN_FILE: place in the file, from 1; else argument number, 0 */
} ip_values;

/** One block of the plan, completely resolved: keys outside it and the command line are merged. */
typedef struct {
  char *name; /**< key `name`; default "main" alone, else "study1", ... ; unique */
  ip_values key[IP_KEYS];
  size_t n_columns; /**< columns of `estimate`, lists multiplied, in order, distinct   */
  ip_column *column;
} ip_block;

/** A checked input.  Launch and layout keys are equal in all blocks, but for name and repeat. */
typedef struct ip_options {
  char *origin;    /**< name of the input file as given */
  size_t n_blocks; /**< >= 1 */
  ip_block *block;
  void *memory; /**< owns every list and text above */
} ip_options;

/** Read text (of the file called name) and n key=value arguments.  All errors are found at once.
 *
 *  IP_ERR_CONFIG with one message of one line per error,
 *    my.yaml:7:18: error: network.activation: "tahn" is not one of: tanh relu ... Did you mean "tanh"?
 *    argument 2: error: unknown key "lerning_rate". Did you mean "train.learning_rate"?
 *    2 errors, nothing was started.
 *  *options unchanged then.  Not collective. */
PetscErrorCode ip_options_read(const char *name, const char *text, size_t length,
                               size_t n_arguments, const char *const argument[],
                               ip_options **options);
void ip_options_destroy(ip_options **options);

/** The first value of a key in a block; NULL where none was given and there is no default.
 *  train.epochs keeps its default beside train.updates: ask for updates first. */
const ip_value *ip_options_value(const ip_options *options, size_t block, ip_key key);

/** Some run of the block uses the key; the others do not name a run. */
bool ip_key_is_used(const ip_block *block, size_t key);

/** The layers of the block's network are there to be measured, nothing is trained. */
bool ip_block_is_given(const ip_block *block);

/** The resolved science and layout keys as YAML that reads back to the same options, in the order
 *  of the table: what is compared when a file is continued. One line per block and key:
 *      studies:
 *        - name: "main"
 *          dataset.name: symmetric
 *          train.fraction: [0.05, 0.85]
 *          estimate: [{kind: binning, bins: 30, ..., on: full}]
 *  Without launch keys, IP_KEY_REPRODUCIBLE, IP_KEY_SHARE, and keys that no run of the block uses. */
PetscErrorCode ip_options_config(const ip_options *options, ip_text *yaml);

/** The same with the launch keys and a comment that says where each value came from:
 *  "# default", "# my.yaml:7:18", "# argument 2".  Reads back too. */
PetscErrorCode ip_options_provenance(const ip_options *options, ip_text *yaml);

/** Differences between two config texts in words, one line each:
 *  "study main: train.learning_rate: the file has 0.0004, the input says 0.001"; nothing if they
 *  are equal, else at least one line.  Lines are compared, so any text will do. */
PetscErrorCode ip_options_difference(const char *file, const char *input, ip_text *words);

/** Help of one topic, IP_TEXT_WIDTH wide: a key ("train.batch", or "batch" where only one ends so), a
 *  section ("train"), an estimator, a data set, "estimate", "studies", "keys" (all, a line each).
 *  IP_ERR_USAGE naming the nearest topic. */
const char *ip_options_topic(size_t i); /**< ip_names of the topics; some occur twice */
PetscErrorCode ip_options_help(const char *topic, ip_text *text);
