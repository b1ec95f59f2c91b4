import { wholeNumber } from '@orchestrate/service-kit';
import { z } from 'zod';

export const environment = {
  SMTP_URL: z
    .url({ protocol: /^smtps?$/ })
    .describe('the address of the mail server, such as smtp://user:password@mail.example.org:587'),
  SENDER_CONCURRENCY: wholeNumber(1, 64).default(8).describe('how many messages are sent at a time, 1 to 64'),
} as const;
