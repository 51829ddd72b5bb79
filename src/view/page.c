/* Where panels, titles and legends stand, in centimeters of the printed page. */

#include "page.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MOST_TITLE = 60 };

static const double left_cm = 1.45, label_cm = 1.15, bottom_cm = 1.05, caption_cm = 0.3,
                    legend_cm = 0.74, line_cm = 0.42, small_line_cm = 0.35,
                    title_room_cm = 1.15, per_cm = 6.4, small_per_cm = 8.0; /* characters */

const char page_i_xt[] = "{/:Italic I}({/:Italic X};{/:Italic T}) (bit)",
           page_i_ty[] = "{/:Italic I}({/:Italic T};{/:Italic Y}) (bit)";

page page_of_planes(size_t n)
{
  page g = {.n = n,
            .columns = 3,
            .width = 4.5,
            .height = 4.2,
            .gap_x = 0.8,
            .gap_y = 1.75,
            .right = 0.35};

  if (n == 1) g.columns = 1, g.width = 7.0, g.height = 5.6;
  if (n == 2 || n == 4) g.columns = 2, g.width = 7.1, g.height = 5.4;
  return g;
}

page page_of_pairs(size_t n)
{
  return (page){.n = 2 * n,
                .columns = 2,
                .width = 6.8,
                .height = 4.0,
                .gap_x = 1.75,
                .gap_y = 1.65,
                .right = 0.35};
}

bool page_is_left(const page *g, size_t i)
{
  return i % g->columns == 0;
}

bool page_is_lowest(const page *g, size_t i)
{
  return i + g->columns >= g->n;
}

/* ---- caption and legend --------------------------------------------------------------------------- */

static PetscErrorCode add_caption(plot *p, const char *text, size_t most, double y)
{
  PetscCall(ip_text_add(&p->legend, "  set label "));
  PetscCall(plot_quote(&p->legend, text, most));
  return ip_text_add(&p->legend,
                     " noenhanced at screen %.4g/W, 1 - %.4g/H left font ',7' textcolor rgb "
                     "'#606060'\n",
                     left_cm, y);
}

PetscErrorCode page_begin(const page *g, plot *p, const char *caption)
{
  const double columns = (double)g->columns;
  char first[256];

  p->width = left_cm + columns * g->width + (columns - 1.0) * g->gap_x + g->right;
  p->legend_x = left_cm;
  p->legend_y = legend_cm;

  const size_t most = (size_t)((p->width - left_cm) * small_per_cm);
  const char *second = strlen(caption) > most ? strrchr(caption, ';') : NULL;

  if (!second) return add_caption(p, caption, most, caption_cm);
  snprintf(first, sizeof first, "%.*s", (int)(second - caption), caption);
  PetscCall(add_caption(p, first, most, caption_cm));
  PetscCall(
      add_caption(p, second + 1 + strspn(second + 1, " "), most, caption_cm + small_line_cm));
  p->legend_y += small_line_cm;
  return PETSC_SUCCESS;
}

static double title_width(const char *title)
{
  size_t n = 0;

  for (const char *c = title; *c; c++) n += ((unsigned char)*c & 0xc0) != 0x80;
  return (double)(n < MOST_TITLE ? n : MOST_TITLE + 3) / 6.8;
}

PetscErrorCode page_entry(plot *p, page_sample sample, const char *style, const char *title)
{
  const double mark = sample == PAGE_LINE ? 0.75 : 0.35, room = mark + title_width(title);

  if (p->legend_x > left_cm && p->legend_x + room > p->width - 0.2) {
    p->legend_x = left_cm;
    p->legend_y += line_cm;
  }

  const double x = p->legend_x, y = p->legend_y;

  if (sample == PAGE_LINE)
    PetscCall(ip_text_add(&p->legend,
                          "  set arrow from screen %.4g/W, 1 - %.4g/H to screen %.4g/W, 1 - "
                          "%.4g/H nohead %s\n",
                          x, y, x + 0.6, y, style));
  else
    PetscCall(ip_text_add(&p->legend, "  set label '' at screen %.4g/W, 1 - %.4g/H point %s\n",
                          x + 0.1, y, style));
  PetscCall(ip_text_add(&p->legend, "  set label "));
  PetscCall(plot_quote(&p->legend, title, MOST_TITLE));
  PetscCall(
      ip_text_add(&p->legend, " noenhanced at screen %.4g/W, 1 - %.4g/H left\n", x + mark, y));
  p->legend_x += room + 0.45;
  return PETSC_SUCCESS;
}

size_t page_linetype(size_t l, size_t layers)
{
  if (l + 1 == layers) return 8;
  return l % 14 < 7 ? 1 + l % 14 : 2 + l % 14;
}

PetscErrorCode page_layers(plot *p, size_t layers, page_sample sample, bool gray)
{
  char style[96], title[32];

  for (size_t l = 0; l < layers; l++) {
    snprintf(style, sizeof style, "linetype %zu%s%s", page_linetype(l, layers),
             sample == PAGE_POINT ? " pointsize 1.2*P" : "", gray ? " " PAGE_GRAY : "");
    snprintf(title, sizeof title, l + 1 < layers ? "layer %zu" : "output", l + 1);
    PetscCall(page_entry(p, sample, style, title));
  }
  return PETSC_SUCCESS;
}

PetscErrorCode page_end(plot *p)
{
  PetscCall(ip_text_add(&p->body,
                        "\n  # caption and legend\n"
                        "  unset label; unset arrow; unset border; unset tics; unset xlabel\n"
                        "  unset logscale; unset colorbox; unset key; unset object\n"
                        "  set lmargin at screen 0; set rmargin at screen 1\n"
                        "  set bmargin at screen 0; set tmargin at screen 1\n"
                        "  set xrange [0:1]; set yrange [0:1]\n"));
  return ip_text_add(&p->body, "%s  plot NaN notitle\n  unset label; unset arrow\n",
                     p->legend.text);
}

/* ---- panels ------------------------------------------------------------------------------------------- */

PetscErrorCode page_panels(page *g, plot *p)
{
  const size_t n_rows = (g->n + g->columns - 1) / g->columns;
  const double rows = (double)n_rows,
               legend = p->legend_x > left_cm ? p->legend_y : p->legend_y - line_cm;

  g->strip = legend + title_room_cm;
  p->height = bottom_cm + rows * g->height + (rows - 1.0) * g->gap_y + g->strip;
  return PETSC_SUCCESS;
}

static double left_of(const page *g, size_t i)
{
  return left_cm + (double)(i % g->columns) * (g->width + g->gap_x);
}

static double top_of(const page *g, size_t i)
{
  const size_t row = i / g->columns;

  return g->strip + (double)row * (g->height + g->gap_y);
}

PetscErrorCode page_panel(const page *g, plot *p, size_t i, const char *title,
                          const char *small)
{
  const double left = left_of(g, i), top = top_of(g, i);
  const char letter = (char)('a' + i % 26), *indent = g->n > 1 ? "1.8" : "0",
             *raise = *small ? "1.55" : "0.7";
  ip_text *b = &p->body;

  PetscCall(ip_text_add(b, "\n  # panel %c\n  unset label; unset arrow; unset key\n", letter));
  PetscCall(ip_text_add(b, "  set lmargin at screen %.4g/W; set rmargin at screen %.4g/W\n",
                        left, left + g->width));
  PetscCall(ip_text_add(b,
                        "  set tmargin at screen 1 - %.4g/H; set bmargin at screen 1 - "
                        "%.4g/H\n",
                        top, top + g->height));
  if (g->n > 1)
    PetscCall(ip_text_add(b, "  set label '{/:Bold %c}' at graph 0,1 offset character 0,%s\n",
                          letter, raise));
  PetscCall(ip_text_add(b, "  set label "));
  PetscCall(plot_quote(b, title, (size_t)(g->width * per_cm)));
  PetscCall(ip_text_add(b, " noenhanced at graph 0,1 offset character %s,%s\n", indent, raise));
  PetscCall(ip_text_add(b, "  set label "));
  PetscCall(plot_quote(b, small, (size_t)(g->width * small_per_cm)));
  return ip_text_add(b,
                     " noenhanced at graph 0,1 offset character %s,0.6 font ',7' textcolor rgb "
                     "'#606060'\n",
                     indent);
}

PetscErrorCode page_axes(const page *g, plot *p, size_t i, const char *x, const char *y)
{
  PetscCall(ip_text_add(&p->body, "  set xlabel '%s' offset 0,0.4\n", x));
  return ip_text_add(&p->body, "  set label '%s' at screen %.4g/W, 1 - %.4g/H center rotate\n",
                     y, left_of(g, i) - label_cm, top_of(g, i) + g->height / 2.0);
}

/* ---- epochs -------------------------------------------------------------------------------------------- */

/* Tics at 0 and at powers of ten; small ones between where there is room. */
static PetscErrorCode add_log_tics(plot *p, const char *axis, double high)
{
  const int decades = (int)log10(fmax(1.0, high)), step = 1 + decades / 6;

  PetscCall(ip_text_add(&p->body, "  set %stics ('0' 0.5", axis));
  for (int e = 0; e <= decades; e++) {
    if (e % step == 0 && e < 4)
      PetscCall(ip_text_add(&p->body, ", '%.0f' 1e%d", pow(10.0, e), e));
    else if (e % step == 0)
      PetscCall(ip_text_add(&p->body, ", '10^%d' 1e%d", e, e));
    for (int k = 2; k < 10 && step == 1; k++)
      PetscCall(ip_text_add(&p->body, ", '' %de%d 1", k, e));
  }
  return ip_text_add(&p->body, ")\n");
}

PetscErrorCode page_log_axis(plot *p, const char *axis, double high)
{
  PetscCall(add_log_tics(p, axis, high));
  return ip_text_add(&p->body, "  set logscale %s; set %srange [0.5:%.9g]\n", axis, axis,
                     fmax(1.0, high));
}

PetscErrorCode page_color_by_epoch(plot *p, double high)
{
  return ip_text_add(&p->body, "  unset colorbox; set logscale cb; set cbrange [0.5:%.9g]\n",
                     fmax(1.0, high));
}

PetscErrorCode page_epochs(const page *g, plot *p, double high)
{
  const double left = left_of(g, g->columns - 1) + g->width + 0.35;

  PetscCall(page_log_axis(p, "cb", high));
  PetscCall(ip_text_add(&p->body,
                        "  set cbtics nomirror out scale 0.5 textcolor rgb '#202020'\n"
                        "  set colorbox vertical user origin screen %.4g/W, 1 - %.4g/H size "
                        "screen %.4g/W, %.4g/H noborder\n",
                        left, g->strip + g->height, 0.22, g->height));
  return ip_text_add(&p->body,
                     "  set label 'epoch' at screen %.4g/W, 1 - %.4g/H left\n"
                     "  plot NaN with points palette notitle\n  unset colorbox\n",
                     left, g->strip - 0.3);
}
