// Node reads the package.json around each module that it resolves, and takes its `exports` apart each time. That of
// drizzle-orm has 179 KB and stands around 108 modules: measured on Node 24.21, half a second and 235 MB of a process
// that has just started. What is asked for relative to one of its modules is a file beside it, and needs no looking up.
// In plain JavaScript and with care for what is not there, because a Node that is too old reads it too.
import * as nodeModule from 'node:module';

/** Packages of ES modules alone whose package.json is large; 24 KB in hono's case. */
const large = /\/node_modules\/(drizzle-orm|hono)\//;

nodeModule.registerHooks?.({
  resolve(specifier, context, next) {
    const { parentURL } = context;
    // A module that is required is another file than the same one imported.
    if (!/^\.\.?\/.*\.js$/.test(specifier) || !parentURL || !large.test(parentURL) || isRequired(context))
      return next(specifier, context);
    return { url: new URL(specifier, parentURL).href, format: 'module', shortCircuit: true };
  },
});

function isRequired({ conditions }) {
  return conditions.includes('require');
}
