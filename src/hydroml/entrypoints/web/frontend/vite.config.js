import tailwindcss from "@tailwindcss/vite";
import { defineConfig } from "vite";

// Relative addresses (`base: "./"`) keep the build independent of where the static files are served from.
export default defineConfig({
  base: "./",
  publicDir: false,
  plugins: [tailwindcss()],
  build: {
    outDir: "../static/dist",
    emptyOutDir: true,
    manifest: "manifest.json",
    target: "es2022",
    cssTarget: ["chrome123", "firefox121", "safari17.5"], // light-dark() stays as it is written
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1600, // Plotly's cartesian bundle; loaded only where there is a chart
    rollupOptions: { input: "src/main.js" },
  },
});
