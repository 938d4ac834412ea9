/** A progress bar. Without a percentage it only shows that work goes on. */
export function Bar({ label, percent }: { readonly label: string; readonly percent: number | undefined }) {
  return (
    <span class="bar">
      <progress aria-label={label} max={100} {...(percent === undefined ? {} : { value: percent })} />
      <span class="bar-text">{percent === undefined ? "" : `${percent} %`}</span>
    </span>
  );
}
