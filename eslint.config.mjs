import tseslint from 'typescript-eslint';

const noiseBan = [
  { object: 'Math', property: 'random', message: 'Time and randomness are arguments: pass a SeededRandom or a SecureRandom.' },
  { object: 'tf', property: 'randomNormal', message: 'Privacy noise comes from SecureRandom only.' },
];

export default tseslint.config(
  { ignores: ['node_modules/**', 'dist/**', 'runs/**', '.cesta/**', 'shared/kernels/assembly/**'] },
  ...tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: {
      parserOptions: { projectService: { allowDefaultProject: ['scripts/cesta.mjs', 'eslint.config.mjs'] }, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      'no-restricted-exports': ['error', { restrictDefaultExports: { direct: true } }],
      'no-restricted-properties': ['error', ...noiseBan],
      'max-lines-per-function': ['warn', { max: 60, skipBlankLines: true, skipComments: true }],
      'max-lines': ['warn', { max: 300, skipBlankLines: false }],
      eqeqeq: 'error',
    },
  },
  {
    files: ['shared/**'],
    rules: {
      'no-restricted-globals': ['error',
        { name: 'setTimeout', message: 'shared/ is pure: time is an argument.' },
        { name: 'setInterval', message: 'shared/ is pure: time is an argument.' },
        { name: 'process', message: 'shared/ is pure and isomorphic.' },
        { name: 'Buffer', message: 'shared/ is isomorphic: use Uint8Array.' }],
      'no-restricted-properties': ['error', ...noiseBan,
        { object: 'Date', property: 'now', message: 'shared/ is pure: time is an argument.' }],
    },
  },
  {
    files: ['test/**'],
    rules: { 'max-lines-per-function': 'off' },
  },
  {
    files: ['*.config.*', 'scripts/cesta.mjs', 'scripts/experiments/**'],
    rules: { 'no-restricted-exports': 'off' },
  },
);
