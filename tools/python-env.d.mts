/** Where the interpreter is, or will be once the environment is made. */
export declare function pythonPath(): string
