export * from '../core/check.js';
