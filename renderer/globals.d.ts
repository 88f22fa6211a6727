/** What the bundler makes of files that are no code. */
declare module "*.woff2?url" {
  const address: string;
  // biome-ignore lint/style/noDefaultExport: the bundler gives the address in this form
  export default address;
}
declare module "*.css";
declare module "@fontsource-variable/inter";

/** What the Electron preload puts into the page; absent in a browser. */
interface Window {
  readonly muxdeck?: { readonly host: "electron"; readonly platform: string; readonly titleBar: string };
}
