import { describe, expect, test } from 'vitest';
import { parseBaseUrl } from './base-url.ts';

describe('the base URL a person enters', () => {
  test.each([
    ['https://sonar.example.com', 'https://sonar.example.com'],
    ['https://sonar.example.com/', 'https://sonar.example.com'],
    ['https://sonar.example.com/api', 'https://sonar.example.com'],
    ['https://sonar.example.com/api/projects/search', 'https://sonar.example.com'],
    ['http://host:9000/sonarqube///', 'http://host:9000/sonarqube'],
    ['https://host/tools/sonar/dashboard?id=my-project#top', 'https://host/tools/sonar'],
    ['  https://host/projects  ', 'https://host'],
  ])('%s → %s', (input, expected) => {
    expect(parseBaseUrl(input)).toBe(expected);
  });

  test.each(['sonar.example.com', 'ftp://host', 'file:///etc/passwd', 'https://user:secret@host', ''])(
    '%s is refused without repeating a password',
    (input) => {
      expect(() => parseBaseUrl(input)).toThrow(expect.objectContaining({ code: 'invalid_arguments' }));
      expect(() => parseBaseUrl(input)).not.toThrow(/secret/);
    },
  );
});
