/** The folder that holds, or will hold, the jars of client `name`. */
export declare function jarFolder(name: string): string
/** Makes sure that the jars are there; returns their folder. Throws with Maven's output when it cannot. */
export declare function ensureJars(name: string): string
