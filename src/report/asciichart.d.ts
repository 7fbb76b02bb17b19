/** The part of asciichart that we use; the package brings no types. */
declare module 'asciichart' {
  interface Settings {
    offset?: number;
    height?: number;
    min?: number;
    max?: number;
    symbols?: string[];
    format?(value: number): string;
  }
  const asciichart: { plot(series: number[], settings?: Settings): string };
  export default asciichart;
}
