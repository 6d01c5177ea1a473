package io.hypercalld.api.cli;

/**
 * What a setting was set to. Immutable.
 *
 * @param origin the flag, the variable or the file and key that set it, for messages
 */
record SettingValue(String text, String origin) {}
