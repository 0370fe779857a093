/** This plugin's version, as `GET /connector-plugins` shows it. */
export const VERSION = '0.1.0'
