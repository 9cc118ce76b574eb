import eslint from '@eslint/js';
import tseslint from 'typescript-eslint';

/** AssemblyScript is TypeScript to the eye only: its rules are syntactic, types are checked by asc itself. */
const assemblyScript = ['filter/**/*.ts', 'test/core/module/**/*.ts', 'test/embedded/probe/module/**/*.ts'];
const scripts = ['**/*.js', '**/*.mjs'];

export default tseslint.config(
  { ignores: ['build/', 'dist/', '.envoy/', '.sluice/', 'try/', 'node_modules/'] },
  eslint.configs.recommended,
  {
    files: ['**/*.ts'],
    ignores: assemblyScript,
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
    },
  },
  {
    files: assemblyScript,
    extends: [tseslint.configs.base],
    rules: {
      'no-undef': 'off',
      'no-unused-vars': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { args: 'none' }],
      'no-loss-of-precision': 'off',
      eqeqeq: 'error',
      'no-redeclare': 'error',
    },
  },
  {
    // What a browser has is known to `npm run typecheck`.
    files: ['plugin-server/page/assets/*.js'],
    rules: { 'no-undef': 'off' },
  },
  {
    files: scripts,
    languageOptions: { globals: { process: 'readonly', console: 'readonly', URL: 'readonly' } },
  },
);
