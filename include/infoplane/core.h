#pragma once

/** @file
 *  What every room may use: one error convention, memory that is never half there, and the row
 *  that describes a thing the user may set.
 *
 *  Letters mean the same in every file:
 *
 *      n  samples (patterns)        d  units of a layer, or features of an input
 *      k  classes                   m  size of a subset of the samples
 *      x  inputs                    y  labels, 0 .. k-1
 *      t  activations of a layer    p  p(y|x)
 *
 *  Information is in bits, loss in nats, time in seconds; epochs count complete passes.
 */

#include <mpi.h>
#include <petscerror.h> /* the error chain alone: petscsys.h is five times as much for every file */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifndef PETSC_COMM_SELF /* which PetscCall takes, and petscsys.h defines */
#define PETSC_COMM_SELF MPI_COMM_SELF
#endif
#ifndef PETSC_SUCCESS /* PETSc < 3.19 */
#define PETSC_SUCCESS 0
#endif

/* ---- errors -------------------------------------------------------------------------------- */

/** The one table of error codes: name, exit code of the program, what it means. */
#define IP_ERROR_TABLE(ROW)                                                                    \
  ROW(USAGE, 64, "the command line cannot be read")                                            \
  ROW(DATA, 65, "an input file or data set holds what it must not")                            \
  ROW(NO_INPUT, 66, "an input file is missing or cannot be read")                              \
  ROW(ENVIRONMENT, 69, "MPI, HDF5 or the launcher is not as it must be")                       \
  ROW(INTERNAL, 70, "a mistake in infoplane itself, or no memory left")                        \
  ROW(CREATE, 73, "an output file cannot be created")                                          \
  ROW(IO, 74, "writing or reading failed, or the disk is full")                                \
  ROW(STOPPED, 75, "stopped cleanly; the same command continues")                              \
  ROW(LOCKED, 77, "the file is in use by another job, or permission is denied")                \
  ROW(CONFIG, 78, "the study described by the input is not possible")

/** Codes lie above PETSc's own, so that both travel in one PetscErrorCode. */
enum {
  IP_ERROR_BASE = 1000,
#define IP_ERROR_ROW(name, exit_code, meaning) IP_ERR_##name = IP_ERROR_BASE + (exit_code),
  IP_ERROR_TABLE(IP_ERROR_ROW)
#undef IP_ERROR_ROW
};

/** Keep a message and return code: what IP_CHECK calls.  Not collective.
 *
 *  The first message of a chain is kept (a later one replaces it only after
 *  ip_error_clear); it is printed by the program once, never by a library room. */
PetscErrorCode ip_error_raise(PetscErrorCode code, const char *function, const char *format,
                              ...) __attribute__((format(printf, 3, 4)));

/** Refuse, naming the offending value:  IP_CHECK(n > 0, IP_ERR_DATA, "%s: no samples", path); */
#define IP_CHECK(condition, code, ...)                                                         \
  do {                                                                                         \
    if (!(condition)) {                                                                        \
      (void)ip_error_raise((code), __func__, __VA_ARGS__);                                     \
      return (code);                                                                           \
    }                                                                                          \
  } while (0)

/** The kept message, "" if there is none.  Valid until the next ip_error_clear. */
const char *ip_error_message(void);

/** The function that raised the kept message, "" if there is none. */
const char *ip_error_function(void);

/** Forget the kept message.  Not collective. */
void ip_error_clear(void);

/** Exit code of the program for an error code: 0 for success, 70 for codes of PETSc itself. */
int ip_error_exit_code(PetscErrorCode code);

/** Name and meaning of row i of the table, for the help; false past its end. */
bool ip_error_row(size_t i, const char **name, int *exit_code, const char **meaning);

/** PETSc error handler that keeps the message instead of printing a trace; with `verbose` it
 *  prints one line per frame.  Push it first thing in main and in tests:
 *  PetscPushErrorHandler(ip_error_handler, verbose ? "" : NULL); */
PetscErrorCode ip_error_handler(MPI_Comm comm, int line, const char *function, const char *file,
                                PetscErrorCode code, PetscErrorType type, const char *message,
                                void *verbose);

/* ---- memory -------------------------------------------------------------------------------- */

enum { IP_ALIGNMENT = 64 }; /**< bytes; a cache line, and the widest register */

/** Zeroed room for count elements, 64-byte aligned; PETSC_SUCCESS with NULL for count = 0.
 *  pointer is the address of a pointer of any type (copied as bytes: no aliasing is broken).
 *  IP_ERR_INTERNAL when there is no memory; what it points to is unchanged then. */
PetscErrorCode ip_allocate_bytes(size_t count, size_t size, void *pointer);

/** PetscCall(IP_ALLOCATE(n, &x)); ... ip_release(&x) leaves NULL. */
#define IP_ALLOCATE(count, pointer) ip_allocate_bytes((count), sizeof **(pointer), (pointer))
void ip_release(void *pointer);

/** Give pages that were freed back to the system, where the C library keeps them (glibc): what was
 *  needed once, before the work, stays with a rank otherwise. */
void ip_memory_trim(void);

/** A copy of text; release with ip_release. */
PetscErrorCode ip_text_copy(const char *text, char **copy);

/** Text that grows: what messages, YAML and JSON are built in. Start with {0}. */
typedef struct {
  char *text; /**< NUL-terminated, or NULL while empty */
  size_t length, room;
} ip_text;

/** Append in the manner of printf. */
PetscErrorCode ip_text_add(ip_text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** Release and leave {0}. */
void ip_text_clear(ip_text *text);

/* ---- files --------------------------------------------------------------------------------- */

/** open(2), always close-on-exec, mode 0666 where it creates, again after EINTR.
 *  -1 with errno: what that means is the caller's to say. */
int ip_file_open(const char *path, int flags);

/** All n bytes at this offset, over short transfers and EINTR.  IP_ERR_IO names the path;
 *  reading IP_ERR_DATA where the file ends before. */
PetscErrorCode ip_file_write(int fd, const char *path, const void *bytes, size_t n,
                             uint64_t offset);
PetscErrorCode ip_file_read(int fd, const char *path, void *bytes, size_t n, uint64_t offset);

/** What was written through this or any descriptor of this host is on the disk.  IP_ERR_IO. */
PetscErrorCode ip_file_sync(int fd, const char *path);

/** Give a complete, synced file its name and sync the folder.  Unless replace, IP_ERR_CREATE when
 *  the name is taken.  After an error `partial` may stand. */
PetscErrorCode ip_file_publish(const char *partial, const char *path, bool replace);

/** Let a child process do read(context) first, since `library` may crash on a damaged file, and what
 *  crashes it must never be opened here.  The child's error is raised; IP_ERR_DATA when it dies, or
 *  needs a minute and more than a second for every 100 kB.  Memory: no more than the machine has.
 *  Before MPI starts (it forks).  IP_ERR_ENVIRONMENT: no process can be started. */
PetscErrorCode ip_file_probe(const char *path, const char *library,
                             PetscErrorCode (*read)(void *context), void *context);

/** The folder of a path; release it. */
PetscErrorCode ip_file_folder(const char *path, char **folder);

/* ---- names --------------------------------------------------------------------------------- */

/** Name number i of a closed set, NULL past its end. */
typedef const char *(*ip_names)(size_t i);

/** Index of name, -1 if it is none of them. */
int ip_names_find(ip_names names, const char *name);

/** The nearest of the names by edits (insert, delete, replace, swap), NULL if none is near. */
const char *ip_names_nearest(ip_names names, const char *name);

/** The names with a space between, as errors list them. */
PetscErrorCode ip_names_list(ip_names names, ip_text *text);

/* ---- the row of a thing the user may set ---------------------------------------------------- */

typedef enum {
  IP_SWITCH,   /**< yes or no                                                      */
  IP_INTEGER,  /**< whole number, or one of the words of `choice`                  */
  IP_REAL,     /**< number (85% is 0.85), or one of the words of `choice`          */
  IP_CHOICE,   /**< one of the words of `choice`                                   */
  IP_STRING,   /**< any text                                                       */
  IP_INTEGERS, /**< list of whole numbers as one value, or one of the words        */
  IP_INTERVAL, /**< [low, high] as one value, or one of the words                  */
  IP_DURATION, /**< seconds, or hh:mm:ss, or one of the words                      */
  IP_SHARE     /**< i/n: part i of n, from 1                                       */
} ip_type;

/** A checked value. Of the members only those that the type and `word` name are meant. */
typedef struct {
  int word;           /**< index into `choice`, or -1 where a number, list or text stands */
  int64_t integer;    /**< IP_INTEGER; IP_SWITCH: 0 or 1; IP_SHARE: i                     */
  double real;        /**< IP_REAL, IP_DURATION (seconds)                                 */
  const char *string; /**< IP_STRING; owned by whoever read it                            */
  size_t n;           /**< elements of list; IP_SHARE: n                                  */
  const double *list; /**< IP_INTEGERS, IP_INTERVAL; owned by whoever read it             */
} ip_value;

/** What a value changes, hence what happens when it differs at the next start. */
typedef enum {
  IP_SCOPE_RUN,     /**< science: names a run; a list of values spans an axis of the grid */
  IP_SCOPE_MEASURE, /**< science: what is measured and kept of a run                      */
  IP_SCOPE_LAYOUT,  /**< shape of the file                                                */
  IP_SCOPE_LAUNCH   /**< free to differ at every start                                    */
} ip_scope;

/** One row: everything that help, errors, input and file say about it. */
typedef struct {
  const char *key;        /**< as in input files: "train.fraction"                       */
  ip_type type;           /**<                                                           */
  ip_scope scope;         /**<                                                           */
  const char *unit;       /**< "1", "epochs", "s", ... as in the file                    */
  double low, high;       /**< allowed range of every number, both ends included         */
  ip_names choice;        /**< words allowed, NULL for none                              */
  const char *initial;    /**< default as one would write it; NULL: none                 */
  const char *coordinate; /**< name of its variable in the file; NULL: has none          */
  const char *sentence;   /**< one line of help                                          */
  const char *reference;  /**< where it comes from, or NULL                              */
} ip_parameter;

/** Append the value as one would write it in an input file; reads back to the same bits. */
PetscErrorCode ip_value_format(const ip_parameter *row, const ip_value *value, ip_text *text);

/** Same value, bit for bit. */
bool ip_value_equal(const ip_parameter *row, const ip_value *a, const ip_value *b);

/** Shortest decimal form of a double that reads back to the same bits; whole numbers below 1e15
 *  without an exponent. */
void ip_real_format(double value, char text[32]);

/* ---- as people read it ----------------------------------------------------------------------- */

/** "21 s", "12 m", "3 h 05 m", "2 d 4 h"; "?" for what is negative or no number. */
void ip_seconds_format(double seconds, char text[32]);

enum { IP_TEXT_WIDTH = 96 }; /**< columns of help */

/** Append the label, the words from column `indent` on, wrapped and indented below their beginning,
 *  and the end of the line. */
PetscErrorCode ip_text_wrap(ip_text *text, int indent, const char *label, const char *words);

/** "1.2 MB", in powers of 1000. */
void ip_bytes_format(double bytes, char text[32]);
