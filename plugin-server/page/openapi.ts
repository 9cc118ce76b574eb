import { parameter, read } from '../openapi.ts';

export const pagePaths = {
  '/': { get: read('The page for people, where a browser asks', { 'text/html': {} }, ['not_found']) },
  '/page/{name}': {
    parameters: [parameter('name')],
    get: read('A file of the page', { '*/*': {} }, ['not_found']),
  },
};
