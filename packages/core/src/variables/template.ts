/** Text as it stands, or the name of a variable whose value goes there. */
export type TemplatePart = string | { readonly variable: string };

/** Takes a text apart that has `$name` and `${name}` in it. None of the parts is empty; a `$` without a name is text. */
export function splitTemplate(template: string): readonly TemplatePart[] {
  const parts: TemplatePart[] = [];
  let end = 0;
  for (const match of template.matchAll(/\$(?:\{(\w+)\}|(\w+))/g)) {
    parts.push(template.slice(end, match.index), { variable: match[1] ?? match[2] ?? '' });
    end = match.index + match[0].length;
  }
  parts.push(template.slice(end));
  return parts.filter((part) => part !== '');
}
