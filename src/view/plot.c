/* A picture: its files, and the look that all pictures share.

   Sizes are those of print: text of 8 points in a width of 8.6 or 17.5 cm.  pango counts a point as
   1/96 inch in every terminal of cairo, hence the scales of the fonts; a line of width 1 is half a
   point everywhere, a point of size P three points. */

#include "plot.h"
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_NAME = 160, PIXELS_PER_INCH = 250, GIF_PIXELS_PER_INCH = 140 };

/* Seven stops of viridis (Smith and van der Walt 2015, CC0) without its yellow end, which is hardly seen
   on white: perceptually even. */
static const unsigned char stop[][3] = {
    {0x44, 0x01, 0x54},
    {0x46, 0x32, 0x7e},
    {0x36, 0x5c, 0x8d},
    {0x27, 0x7f, 0x8e},
    {0x1f, 0xa1, 0x87},
    {0x4a, 0xc1, 0x6d},
    {0xa0, 0xda, 0x39}
};

enum { STOPS = sizeof stop / sizeof stop[0] };

static const char look[] =
    "  reset\n"
    "  set encoding utf8\n"
    "  set minussign\n"
    "  set border 3 linewidth 1 linecolor rgb '#202020'\n"
    "  set tics nomirror out scale 0.5 textcolor rgb '#202020'\n"
    "  set key samplen 1.5 spacing 1.1 noenhanced\n"
    "  set bars 0.6\n"
    "  t(epoch) = epoch > 0 ? epoch : 0.5 # where an axis of log epochs shows 0\n";

/* Of hidden layers 1 to 7: the colors of Okabe and Ito (2008), which color-blind people tell apart, and a
   shape each; the same colors with other shapes for 8 to 14.  The output has linetype 8. */
typedef struct {
  const char *color;
  int shape;
} type;

static const type types[] = {
    {"#0072b2", 6 },
    {"#e69f00", 5 },
    {"#009e73", 9 },
    {"#cc79a7", 11},
    {"#d55e00", 13},
    {"#56b4e9", 4 },
    {"#8c6d1f", 8 },
    {"#202020", 7 },
    {"#0072b2", 10},
    {"#e69f00", 12},
    {"#009e73", 1 },
    {"#cc79a7", 2 },
    {"#d55e00", 3 },
    {"#56b4e9", 5 },
    {"#8c6d1f", 9 }
};

int plot_shape(size_t linetype)
{
  return types[(linetype - 1) % (sizeof types / sizeof types[0])].shape;
}

int plot_light(size_t linetype)
{
  const char *color = types[(linetype - 1) % (sizeof types / sizeof types[0])].color;
  int light = 0;

  for (int part = 0; part < 3; part++) {
    const char hex[] = {color[1 + 2 * part], color[2 + 2 * part], '\0'};

    light = 256 * light + (255 + (int)strtol(hex, NULL, 16)) / 2;
  }
  return light;
}

static PetscErrorCode add_look(ip_text *s)
{
  PetscCall(ip_text_add(s, "%s", look));
  for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
    PetscCall(ip_text_add(s, "  set linetype %zu linecolor rgb '%s' pointtype %d linewidth 2\n",
                          i + 1, types[i].color, types[i].shape));
  PetscCall(ip_text_add(s, "  set palette defined ("));
  for (size_t i = 0; i < STOPS; i++)
    PetscCall(ip_text_add(s, "%s%zu '#%02x%02x%02x'", i ? ", " : "", i, stop[i][0], stop[i][1],
                          stop[i][2]));
  return ip_text_add(s, ")\n");
}

/* ---- folder and files ---------------------------------------------------------------------------- */

PetscErrorCode plot_folder_open(const char *path, plot_folder *folder)
{
  plot_folder made = {.fd = -1};

  IP_CHECK(mkdir(path, 0777) == 0 || errno == EEXIST, IP_ERR_CREATE,
           "folder %s cannot be made: %s", path, strerror(errno));
  made.fd = ip_file_open(path, O_RDONLY | O_DIRECTORY);
  IP_CHECK(made.fd >= 0, IP_ERR_CREATE, "folder %s cannot be opened: %s", path,
           strerror(errno));
  if (faccessat(made.fd, ".", W_OK | X_OK, AT_EACCESS) != 0) {
    const int error = errno;

    close(made.fd);
    IP_CHECK(false, IP_ERR_CREATE, "folder %s is not writable: %s", path, strerror(error));
  }

  const PetscErrorCode code = ip_text_copy(path, &made.path);

  if (code == PETSC_SUCCESS)
    *folder = made;
  else
    close(made.fd);
  return code;
}

void plot_folder_close(plot_folder *folder)
{
  if (!folder->path) return;
  close(folder->fd);
  ip_release(&folder->path);
  folder->fd = -1;
}

/* Name beside the place of a file while it is written. */
static void name_beside(const char *name, char beside[MOST_NAME + 32])
{
  snprintf(beside, MOST_NAME + 32, ".%.*s.%ld", MOST_NAME, name, (long)getpid());
}

/* Write it beside its place and move it there; path is its name in messages. */
static PetscErrorCode write_file(const plot_folder *folder, const char *name, const char *path,
                                 const ip_text *text)
{
  char beside[MOST_NAME + 32];
  int fd;

  name_beside(name, beside);
  do
    fd =
        openat(folder->fd, beside, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
  while (fd < 0 && errno == EINTR);
  IP_CHECK(fd >= 0, IP_ERR_CREATE, "%s cannot be created: %s", path, strerror(errno));

  PetscErrorCode code = ip_file_write(fd, path, text->text, text->length, 0);

  if (close(fd) != 0 && !code)
    code =
        ip_error_raise(IP_ERR_IO, __func__, "%s cannot be written: %s", path, strerror(errno));
  if (!code && renameat(folder->fd, beside, folder->fd, name) != 0)
    code = ip_error_raise(IP_ERR_IO, __func__, "%s: %s", path, strerror(errno));
  if (code) unlinkat(folder->fd, beside, 0);
  return code;
}

PetscErrorCode plot_write(const plot_folder *folder, const char *name, const ip_text *text)
{
  ip_text path = {0};

  PetscCall(ip_text_add(&path, "%s/%s", folder->path, name));

  const PetscErrorCode code = write_file(folder, name, path.text, text);

  ip_text_clear(&path);
  return code;
}

/* ---- texts ------------------------------------------------------------------------------------------ */

PetscErrorCode plot_quote(ip_text *script, const char *text, size_t most)
{
  size_t characters = 0;

  PetscCall(ip_text_add(script, "'"));
  for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
    characters += (*c & 0xc0) != 0x80; /* bytes that begin a character of UTF-8 */
    if (characters > most) {
      PetscCall(ip_text_add(script, "..."));
      break;
    }
    if (*c == '\'')
      PetscCall(ip_text_add(script, "''"));
    else
      PetscCall(ip_text_add(script, "%c", *c < ' ' || *c == 0x7f ? ' ' : *c));
  }
  return ip_text_add(script, "'");
}

/* A text in a comment: one line, and no backtick, which gnuplot might run. */
static PetscErrorCode add_comment(ip_text *to, const char *text)
{
  for (const char *c = text; *c; c++) {
    const bool plain = (unsigned char)*c >= ' ' && *c != '`' && *c != 0x7f;

    PetscCall(ip_text_add(to, "%c", plain ? *c : ' '));
  }
  return ip_text_add(to, "\n");
}

/* ---- data -------------------------------------------------------------------------------------------- */

PetscErrorCode plot_begin(plot *p, const char *stem, const char *sentence, const char *source)
{
  ip_text *const head = &p->data;

  PetscCall(ip_text_copy(stem, &p->stem));
  if (strlen(p->stem) > MOST_NAME - 8) p->stem[MOST_NAME - 8] = '\0';
  for (char *c = p->stem; *c; c++) {
    const bool plain = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
                       (*c >= '0' && *c <= '9') || *c == '-' || *c == '_' ||
                       (*c == '.' && c > p->stem);

    if (!plain) *c = '_';
  }
  PetscCall(ip_text_add(head, "# "));
  PetscCall(add_comment(head, sentence));
  PetscCall(ip_text_add(head, "# made by infoplane from "));
  return add_comment(head, source);
}

void plot_clear(plot *p)
{
  ip_release(&p->stem);
  ip_text_clear(&p->data);
  ip_text_clear(&p->body);
  ip_text_clear(&p->legend);
  ip_text_clear(&p->words);
}

PetscErrorCode plot_block(plot *p, const char *what, const char *columns)
{
  PetscCall(ip_text_add(&p->data, p->blocks > 0 ? "\n\n\n# " : "\n# "));
  PetscCall(add_comment(&p->data, what));
  PetscCall(ip_text_add(&p->data, "# %s\n", columns));
  p->blocks++;
  return PETSC_SUCCESS;
}

PetscErrorCode plot_row(plot *p, size_t n, const double value[])
{
  for (size_t i = 0; i < n; i++)
    PetscCall(isfinite(value[i]) ? ip_text_add(&p->data, i ? " %.9g" : "%.9g", value[i])
                                 : ip_text_add(&p->data, i ? " NaN" : "NaN"));
  return ip_text_add(&p->data, "\n");
}

PetscErrorCode plot_gap(plot *p)
{
  return ip_text_add(&p->data, "\n");
}

void plot_shade(size_t i, size_t n, char color[8])
{
  const double place = n > 1 ? (double)i / (double)(n - 1) * (STOPS - 1) : 2.0;
  const size_t below = place >= STOPS - 1 ? STOPS - 2 : (size_t)place;
  const double share = place - (double)below;
  unsigned int part[3];

  for (size_t c = 0; c < 3; c++)
    part[c] = (unsigned int)lround((1.0 - share) * stop[below][c] + share * stop[below + 1][c]);
  snprintf(color, 8, "#%02x%02x%02x", part[0] & 0xff, part[1] & 0xff, part[2] & 0xff);
}

/* ---- script ------------------------------------------------------------------------------------------ */

/* The terminals, and the variable P of the size of points. */
static PetscErrorCode add_terminals(const plot *p, ip_text *s)
{
  const double w = p->width, h = p->height, inch = 2.54, dots = PIXELS_PER_INCH;

  PetscCall(ip_text_add(s, "do for [kind in 'pdf png svg'] {\n"));
  PetscCall(ip_text_add(
      s,
      "  if (kind eq 'pdf') { set terminal pdfcairo size %.4gcm,%.4gcm font font.',8' "
      "fontscale 0.75 linewidth 1; P = 0.45 }\n",
      w, h));
  PetscCall(ip_text_add(
      s,
      "  if (kind eq 'png') { set terminal pngcairo size %.0f,%.0f font font.',8' "
      "fontscale %.4g linewidth %.4g; P = %.4g }\n",
      w / inch * dots, h / inch * dots, dots / 96.0, dots / 144.0, 1.65 * dots / 300.0));
  return ip_text_add(s,
                     "  if (kind eq 'svg') { set terminal svg size %.0f,%.0f font font.',8' "
                     "fontscale 1.333 linewidth 0.667 background rgb 'white'; P = 0.6 }\n",
                     w / inch * 96.0, h / inch * 96.0);
}

static PetscErrorCode add_gif(const plot *p, ip_text *s)
{
  const double inch = 2.54, dots = GIF_PIXELS_PER_INCH;

  return ip_text_add(s,
                     "do for [kind in 'gif'] {\n"
                     "  set terminal gif animate delay 8 loop 0 optimize size %.0f,%.0f "
                     "font font.',8' fontscale %.3g linewidth 1; P = 0.9\n",
                     p->width / inch * dots, p->height / inch * dots, dots / 96.0);
}

static PetscErrorCode make_script(const plot *p, ip_text *s)
{
  const char *first = strchr(p->data.text, '\n'),
             *second = first ? strchr(first + 1, '\n') : NULL;

  /* the two lines with which the data begin */
  PetscCall(
      ip_text_add(s, "%.*s", second ? (int)(second + 1 - p->data.text) : 0, p->data.text));
  PetscCall(ip_text_add(s, "# gnuplot %s.gp   draws %s.%s from %s.dat\n", p->stem, p->stem,
                        p->frames ? "gif" : "pdf, .png and .svg", p->stem));
  PetscCall(ip_text_add(s, "if (!exists('out')) out = '%s'\n", p->stem));
  PetscCall(ip_text_add(s, "if (!exists('font')) font = 'Arial'\n"));
  PetscCall(ip_text_add(s, "data = '%s.dat'\nW = %.4g; H = %.4g # cm\n", p->stem, p->width,
                        p->height));
  PetscCall(p->frames ? add_gif(p, s) : add_terminals(p, s));
  PetscCall(ip_text_add(s, "  set output out.'.'.kind\n"));
  if (p->frames) PetscCall(ip_text_add(s, "do for [frame = 0:%zu] {\n", p->frames - 1));
  PetscCall(add_look(s));
  PetscCall(ip_text_add(s, "  set multiplot\n%s  unset multiplot\n%s",
                        p->body.text ? p->body.text : "", p->frames ? "}\n" : ""));
  return ip_text_add(s, "  unset output\n}\n");
}

/* ---- drawing ------------------------------------------------------------------------------------------ */

static PetscErrorCode rename_picture(const plot_folder *folder, const char *beside,
                                     const char *stem, const char *ending)
{
  char from[MOST_NAME + 40], to[MOST_NAME + 8];

  snprintf(from, sizeof from, "%s.%s", beside, ending);
  snprintf(to, sizeof to, "%s.%s", stem, ending);
  IP_CHECK(renameat(folder->fd, from, folder->fd, to) == 0, IP_ERR_IO, "%s/%s: %s",
           folder->path, to, strerror(errno));
  return PETSC_SUCCESS;
}

static void remove_picture(const plot_folder *folder, const char *beside, const char *ending)
{
  char name[MOST_NAME + 40];

  snprintf(name, sizeof name, "%s.%s", beside, ending);
  unlinkat(folder->fd, name, 0);
}

/* gnuplot draws beside the places of the pictures; they get them all or none. */
static PetscErrorCode draw(const plot *p, const plot_folder *folder)
{
  static const char *const still[] = {"pdf", "png", "svg"}, *const moving[] = {"gif"};
  const char *const *ending = p->frames ? moving : still;
  const size_t n = p->frames ? 1 : 3;
  char beside[MOST_NAME + 32], out[MOST_NAME + 48], script[MOST_NAME + 8];

  name_beside(p->stem, beside);
  snprintf(out, sizeof out, "out = '%s'", beside);
  snprintf(script, sizeof script, "%s.gp", p->stem);

  PetscErrorCode code =
      plot_run_gnuplot(folder->fd, script, (const char *const[]){"-e", out, script, NULL});

  for (size_t i = 0; i < n && code == PETSC_SUCCESS; i++)
    code = rename_picture(folder, beside, p->stem, ending[i]);
  for (size_t i = 0; i < n && code != PETSC_SUCCESS; i++)
    remove_picture(folder, beside, ending[i]);
  return code;
}

PetscErrorCode plot_draw(const plot *p, const plot_folder *folder)
{
  char name[MOST_NAME + 8];
  ip_text script = {0};
  PetscErrorCode code = make_script(p, &script);

  snprintf(name, sizeof name, "%s.dat", p->stem);
  if (code == PETSC_SUCCESS) code = plot_write(folder, name, &p->data);
  snprintf(name, sizeof name, "%s.gp", p->stem);
  if (code == PETSC_SUCCESS) code = plot_write(folder, name, &script);
  if (code == PETSC_SUCCESS) code = draw(p, folder);
  ip_text_clear(&script);
  return code;
}
