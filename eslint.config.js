import effect from "@effect/eslint-plugin"
import js from "@eslint/js"
import tseslint from "typescript-eslint"

export default tseslint.config(
  { ignores: [".docgen/**", "dist/**", "docs/**", "coverage/**", "node_modules/**"] },
  js.configs.recommended,
  ...tseslint.configs.strict,
  ...effect.configs.dprint,
  {
    plugins: { "@effect": effect },
    rules: {
      "@effect/dprint": ["error", {
        config: {
          indentWidth: 2,
          lineWidth: 120,
          semiColons: "asi",
          quoteStyle: "alwaysDouble",
          trailingCommas: "never",
          operatorPosition: "maintain",
          "arrowFunction.useParentheses": "force"
        }
      }],
      "object-shorthand": "error",
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/array-type": ["error", { default: "generic", readonly: "generic" }],
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }]
    }
  },
  {
    files: ["src/**/*.ts"],
    rules: {
      "@effect/no-import-from-barrel-package": ["error", { packageNames: ["effect", "@effect/platform"] }],
      "no-restricted-globals": ["error", "process", "Buffer", "require", "__dirname"],
      "no-console": "error"
    }
  },
  {
    // The core is plain TypeScript: other shells are to use it as it is.
    files: ["src/core/**/*.ts"],
    rules: {
      "no-restricted-imports": ["error", {
        patterns: [
          { regex: "^(effect|@effect)(/|$)", message: "src/core does not know Effect: the shell passes functions in." },
          {
            regex: "^(node:|(assert|buffer|crypto|fs|http|https|net|os|path|process|stream|timers|url|util|zlib)(/|$))",
            message: "src/core does not know Node."
          },
          { regex: "/internal/(?!version)", message: "src/core does not know the shell." }
        ]
      }],
      "no-restricted-globals": [
        "error",
        "process",
        "Buffer",
        "require",
        "__dirname",
        "setTimeout",
        "setInterval",
        "setImmediate"
      ]
    }
  },
  {
    // A service and its tag share one name in Effect; an interface beside a namespace is how schemas are typed.
    files: ["**/*.ts"],
    rules: {
      "@typescript-eslint/no-extraneous-class": "off",
      "@typescript-eslint/no-namespace": "off"
    }
  }
)
